-- pulse: are verifications arriving at all? A CUSUM for a drop of their rate to a hundredth.
--
-- The sum D grows by 0.99 times the verifications that were to be expected, and falls by ln 100
-- with each that arrives: it rises only while fewer than a fifth arrive, which no evening does.
-- From the alarm on, conversion is frozen; from twice the alarm it is an outage, until it has come
-- below the alarm. Expected is a moving average over half an hour with a rational decay,
-- T / (T + dt). Taken at arrivals, it is one too high.
-- Stored: verifications seen (2 bytes), the average (thousandths of a verification in half an hour,
-- 4), when the last one came (6), D then (milli-nats, 4), since when there is an outage (6).

local HALF_AN_HOUR = 1800000
local ONE = 4605  -- 1000 ln 100
local GROWTH = 1818182  -- what divides average × ms to make milli-nats: half an hour / 0.99
local HIGHEST_AVERAGE = 2000000000
local FORGOTTEN = 7 * DAY

TAIL[KIND] = function()
  local alarm, minimum
  alarm, minimum, at = unpack_from('>I4I4', plan, at)
  return {alarm = alarm, minimum = minimum}
end

local function pulse_read(_, _, stored, now, shape)
  local seen, average, last, sum, began = 0, 0, now, 0, 0
  if #stored == 22 then
    seen, average, last, sum, began = unpack_from('>I2I4I6I4I6', stored)
    if now - last > FORGOTTEN then seen, average, last, sum, began = 0, 0, now, 0, 0 end
    now = max(now, last)
  end
  local rate = max(0, average - 1000)
  local grown = min(2 * shape.alarm, sum + floor(rate * (now - last) / GROWTH))
  no_verifications = seen < shape.minimum or grown >= shape.alarm
  local outage = seen >= shape.minimum and grown >= (began > 0 and 1 or 2) * shape.alarm
  if not outage then
    began = 0
  elseif began == 0 then
    began = last + math.ceil(max(0, 2 * shape.alarm - sum) * GROWTH / max(1, rate))
  end
  return {
    used = grown, wait = outage and 1000 or 0, now = now, seen = seen, began = began,
    average = average, last = last, alarm = shape.alarm,
  }
end

READ[KIND] = pulse_read

DETAIL[KIND] = function(state) return state.seen, state.began end

EARLY[KIND] = true

-- outcomes

WEIGH[KIND] = function(limit, span, stored, shape)
  local state = pulse_read(limit, span, stored, now, shape)
  if outcome ~= 'v' then return end
  local decayed = floor(state.average * HALF_AN_HOUR / (HALF_AN_HOUR + state.now - state.last))
  local sum = max(0, state.used - ONE)
  return pack(
    '>I2I4I6I4I6', min(65535, state.seen + 1), min(HIGHEST_AVERAGE, decayed + 1000),
    state.now, sum, sum >= state.alarm and state.began or 0
  ), FORGOTTEN
end
