-- pulse: are verifications arriving at all? A CUSUM for a drop of their rate to a hundredth.
--
-- The sum D grows by 0.99 times the verifications that were to be expected, and falls by ln 100
-- with each that arrives: it rises only while fewer than a fifth arrive, which no evening does.
-- At the alarm it is `silent`, which freezes conversion; at twice the alarm it is an outage, until
-- it has come below the alarm. Expected is a moving average over half an hour, whose decay is
-- rational (T / (T + dt)), so that both languages agree on it to the last bit. Taken at arrivals,
-- it is one too high.
-- For Poisson arrivals whose rate may fall from r to r / 100, the log likelihood grows by 0.99 * r * dt
-- while nothing arrives and falls by ln 100 with each arrival: a decline such as every evening brings
-- is none. Two thresholds, because freezing conversion costs nothing and calling an outage costs
-- attention. At h = 9, after 9.1 missing verifications, conversion freezes: where half converts that is
-- before silence alone could have raised its alarm (9.1 * 2 sends * 0.64 = 11.7 of 12.8 nats). It
-- happens once in some 8,000 (e^9) verifications for no reason, and ends with the next few. Simulated
-- over days with a night and an evening rush, an outage was seen where there was none 14, 1 and 0 times
-- in 100 days at 100, 1,000 and 4,000 verifications a day; half an hour of silence at 14:00 was seen
-- after 15 to 24 minutes at 1,000 a day, 5 at 4,000, not at all at 100.
-- Stored: verifications seen (2 bytes), the average (thousandths of a verification in half an hour,
-- 4), when the last one came (6), D then (milli-nats, 4), since when there is an outage (6).
-- The plan brings where the alarm is, and after how many.

local HALF_AN_HOUR = 1800000
local ONE = 4605  -- 1000 ln 100
local GROWTH = 1818182  -- what divides average × ms to make milli-nats: half an hour / 0.99
local HIGHEST_AVERAGE = 2000000000
local FORGOTTEN = 7 * DAY

local function pulse_read(_, _, stored, now, shape)
  local seen, average, last, sum, began = 0, 0, now, 0, 0
  if #stored == 22 then
    seen, average, last, sum, began = unpack_from('>I2I4I6I4I6', stored)
    if now - last > FORGOTTEN then seen, average, last, sum, began = 0, 0, now, 0, 0 end
    now = max(now, last)
  end
  local rate = max(0, average - 1000)
  local grown = min(2 * shape.alarm, sum + floor(rate * (now - last) / GROWTH))
  silent = seen < shape.minimum or grown >= shape.alarm
  local outage = seen >= shape.minimum and grown >= (began > 0 and 1 or 2) * shape.alarm
  if not outage then
    began = 0
  elseif began == 0 then
    began = last + math.ceil(max(0, 2 * shape.alarm - sum) * GROWTH / max(1, rate))
  end
  return {
    used = grown, wait = outage and 1000 or 0, now = now, more = seen, most = began,
    average = average, last = last, alarm = shape.alarm,
  }
end

-- A verification has arrived.
local function pulse_verified(state)
  local decayed = floor(state.average * HALF_AN_HOUR / (HALF_AN_HOUR + state.now - state.last))
  local sum = max(0, state.used - ONE)
  return pack(
    '>I2I4I6I4I6', min(65535, state.more + 1), min(HIGHEST_AVERAGE, decayed + 1000),
    state.now, sum, sum >= state.alarm and state.most or 0
  ), FORGOTTEN
end

READ.P = pulse_read
