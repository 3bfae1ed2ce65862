-- unallocated: do more messages than usual go to numbers that nobody has?
--
-- A Poisson CUSUM of rejections per message, as explained in the twin; settle.lua tells rejections.
-- Stored: the day of the last message (2 bytes), until when the alarm lasts (6), the sum (thousandths of a nat, 4; during an alarm,
-- that with which it began), messages (4), those rejected (4).
-- The plan brings where the alarm is, and for how long it lasts. Twin: unallocated.py

local unallocated_read, unallocated_rejected

do  -- settle.lua has names enough

local LEARNED, FADE, PRIOR_SENT, PRIOR_REJECTED = 100, 4096, 100, 2
local LOWEST, TIMES, MOST, HIGHEST, REMEMBERED = 0.005, 4, 0.9, 4294967295, 15

-- The share of rejected messages that is usual, and the one looked for.
local function shares(state)
  local usual = max(LOWEST, (state.most + PRIOR_REJECTED) / (state.more + PRIOR_SENT))
  return usual, max(usual, min(MOST, TIMES * usual))
end

local function calm(state) return state.till == 0 and 2 * state.used < state.shape.h end

local function kept(state, till, used, sent, rejected)
  return pack('>I2I6I4I4I4', state.day, till, used, sent, rejected),
    (state.day + REMEMBERED) * DAY - state.now
end

function unallocated_read(_, _, stored, now, shape)
  local today, till, used, sent, rejected = floor(now / DAY), 0, 0, 0, 0
  if #stored == 20 then
    local day = unpack_from('>I2', stored)
    if today - day < REMEMBERED then
      till, used, sent, rejected = unpack_from('>I6I4I4I4', stored, 3)
      today = max(today, day)
    end
  end
  if till > 0 and till <= now then till, used = 0, 0 end
  local wait = not known and till > 0 and till - now or 0
  return {
    wait = wait, used = used, more = sent, most = rejected, till = till, now = now, day = today,
    shape = shape, gone = sent == 0,
  }
end

-- One message more.
local function unallocated_charge(_, _, state)
  if state.till > 0 then return end
  local usual, looked_for = shares(state)
  local learns = calm(state)
  local used = max(0, state.used - floor(1000 * (looked_for - usual)))
  local sent, rejected = state.more + (learns and 1 or 0), state.most
  if sent >= FADE then sent, rejected = floor(sent / 2), floor(rejected / 2) end
  return kept(state, 0, used, sent, rejected)
end

-- A message was rejected; an alarm may begin.
function unallocated_rejected(state)
  if state.till > 0 then return end
  local learns, till, used = calm(state), 0, 0
  if state.more >= LEARNED then
    local usual, looked_for = shares(state)
    used = min(HIGHEST, state.used + floor(1000 * ln(looked_for / usual)))
    if used >= state.shape.h then till = state.now + state.shape.hold end
  end
  local rejected = min(state.more, state.most + (learns and 1 or 0))
  return kept(state, till, used, state.more, rejected)
end

READ.U, CHARGE.U = unallocated_read, unallocated_charge

end
