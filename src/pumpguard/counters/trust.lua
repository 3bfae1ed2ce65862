-- trust: what a subject has earned by being verified, in messages that its windows let through more.
--
-- Both sums lose an eighth with every day (UTC), so that they hold about the last eight days.
-- Stored: verified (thousandths, 4 bytes), sent (thousandths, 4), the day of the last message (2).
-- Never full.

local TRUSTED_MOST = 4294967295

-- Days without a message for which it is remembered.
local function trust_remembered(verified) return verified > 0 and 15 or 2 end

TAIL[KIND] = function()
  local share, client, speaks, all
  share, client, speaks, all, at = unpack_from('>I2BBB', plan, at)
  return {share = share, client = client == 1, speaks = speaks == 1, all = all == 1}
end

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
  headroom = shape.all and ALL_HEADROOM or floor(gain * net / 1000)
  return {
    used = headroom, wait = 0, now = now, verified = verified, sent = sent, today = today,
    gone = gone,
  }
end

local function trust_kept(state)
  return pack('>I4I4I2', state.verified, state.sent, state.today),
    (state.today + trust_remembered(state.verified)) * DAY - state.now
end

READ[KIND] = function(gain, span, stored, now, shape)
  local state = trust_read(gain, span, stored, now, shape)
  if headroom > 0 and shape.speaks and not shape.all then trusted = true end
  return state
end

DETAIL[KIND] = function(state) return floor(state.verified / 1000), floor(state.sent / 1000) end

-- One more message; while no verifications arrive at all, none is held against anybody.
CHARGE[KIND] = function(_, _, state)
  if no_verifications then return end
  state.sent = min(TRUSTED_MOST, state.sent + 1000)
  return trust_kept(state)
end

EARLY[KIND] = true

-- outcomes

-- What it has earned counts for `unsent` too.
TAKE[KIND] = function(gain, span, stored, shape)
  if stored ~= '' then trust_read(gain, span, stored, now, shape) end
end

-- What was verified is worth so many thousandths; a message that failed is as if never sent.
TELL[KIND] = function(gain, span, stored, shape, worth, of_clients)
  if stored == '' then return end
  local state = trust_read(gain, span, stored, now, shape)
  if state.gone then return end
  if outcome == 'v' then
    state.verified = min(TRUSTED_MOST, state.verified + (shape.client and of_clients or worth))
  else
    state.sent = max(0, state.sent - 1000)
  end
  return trust_kept(state)
end
