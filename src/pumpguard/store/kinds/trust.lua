-- trust: what a subject has earned by being verified, in messages that its windows let through more.
--
-- `limit` times what was verified, less a share of what was sent. Both sums lose an eighth with every
-- day (UTC), so that they hold about the last eight days.
-- It is gone as soon as less than the share of what was sent was verified: whoever verifies numbers of
-- his own for it gets at most (1 - share) / share = 1.9 messages for each, beside what everybody has,
-- however he goes about it. A message that is still on its way counts as one that nobody verifies.
-- With the defaults, subjects of which 60 % or more is verified (share + 1 / gain) earn their room as
-- fast as they use it: a crowd behind one address needs no history. Sources: 35 % is where Vonage
-- blocks a network; 60 to 85 % is healthy (IronAuth).
-- Stored: verified (thousandths, 4 bytes), sent (thousandths, 4), the day of the last message (2).
-- The plan brings the share, and whether the subjects are clients. Never full.

local TRUSTED_MOST = 4294967295

-- Days without a message for which it is remembered.
local function trust_remembered(verified) return verified > 0 and 15 or 2 end

local function trust_read(gain, _, stored, now, shape)
  local today, verified, sent = floor(now / DAY), 0, 0
  local gone = false  -- forgotten, though stored with what its subject has besides
  if #stored == 10 then
    local day
    verified, sent, day = unpack_from('>I4I4I2', stored)
    if today - day >= trust_remembered(verified) then
      verified, sent, gone = 0, 0, true
    else
      for _ = day + 1, today do
        verified, sent = floor(verified * 7 / 8), floor(sent * 7 / 8)
      end
    end
    today = max(today, day)
  end
  local net = max(0, verified - floor(sent * shape.share / 1000))
  room = floor(gain * net / 1000)
  return {
    used = room, wait = 0, now = now, verified = verified, sent = sent, today = today,
    gone = gone,
    more = floor(verified / 1000), most = floor(sent / 1000),
  }
end

local function trust_kept(state)
  return pack('>I4I4I2', state.verified, state.sent, state.today),
    (state.today + trust_remembered(state.verified)) * DAY - state.now
end

-- One more message; while no verifications arrive at all, none is held against anybody.
local function trust_charge(_, _, state)
  if silent then return end
  state.sent = min(TRUSTED_MOST, state.sent + 1000)
  return trust_kept(state)
end

-- The message was verified, which is worth so many thousandths.
local function trust_earned(state, worth)
  state.verified = min(TRUSTED_MOST, state.verified + worth)
  return trust_kept(state)
end

-- As if the message had never been.
local function trust_taken_back(state)
  state.sent = max(0, state.sent - 1000)
  return trust_kept(state)
end

READ.E, CHARGE.E = trust_read, trust_charge
