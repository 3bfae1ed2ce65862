-- pulse: do messages go out, and no verifications come back? What is reckoned says pulse.py.
--
-- Stored: verifications seen (2 bytes), their average (thousandths of one in half an hour, 4), when
-- the last one came (6); what is missing by the clock and by messages (milli-nats, 4 each), at what
-- time that is (6), since when (6), whether that is an outage (1); the newest slice of half a minute
-- (6), the messages in it and in the two before (2 each).

local HALF_AN_HOUR = 1800000
local GROWTH = 1818182  -- what divides average × ms to make milli-nats: half an hour / 0.99
local ONE, UNANSWERED = 4605, 688  -- what a verification takes, and a message without one adds
local SLICE, SLICES = 30000, 3
local LONGEST_GAP, LEAST = 300000, 300000  -- ms
local HIGHEST_AVERAGE = 2000000000
local FORGOTTEN = 7 * DAY

TAIL[KIND] = function()
  local alarm, minimum
  alarm, minimum, at = unpack_from('>I4I4', plan, at)
  return {alarm = alarm, minimum = minimum}
end

local function pulse_read(_, _, stored, now, shape)
  local seen, average, last, by_clock, by_messages, reckoned, since, down = 0, 0, now, 0, 0, now, 0, 0
  local newest, counts = floor(now / SLICE), {0, 0, 0}
  if #stored == 45 then
    seen, average, last, by_clock, by_messages, reckoned, since, down, newest, counts[1], counts[2], counts[3] =
      unpack_from('>I2I4I6I4I4I6I6BI6I2I2I2', stored)
    now = max(now, reckoned)
    if now - last > FORGOTTEN then seen, average = 0, 0 end
  end

  -- Messages that are older than a minute by now, and that nobody has verified.
  local matured, index = 0, floor(now / SLICE)
  for _ = 1, min(SLICES, index - newest) do
    matured = matured + counts[SLICES]
    counts = {0, counts[1], counts[2]}
  end
  by_messages = min(2 * shape.alarm, by_messages + matured * UNANSWERED)
  if by_messages == 0 then
    by_clock, since = 0, 0
  else
    if since == 0 then
      since = now - min(SLICES * SLICE, now - last)
      reckoned = since
    end
    local usual = floor(max(0, average - 1000) * HALF_AN_HOUR / (HALF_AN_HOUR + now - last))
    local passed = min(LONGEST_GAP, now - reckoned)
    by_clock = min(2 * shape.alarm, by_clock + floor(usual * passed / GROWTH))
  end

  local missing, founded = min(by_clock, by_messages), seen >= shape.minimum
  local outage = founded and missing >= shape.alarm
    and (down == 1 or (missing >= 2 * shape.alarm and now - since >= LEAST))
  unheard = founded and missing >= shape.alarm
  no_verifications = not founded or unheard
  return {
    used = missing, wait = outage and 1000 or 0, now = now, seen = seen, average = average, last = last,
    by_clock = by_clock, by_messages = by_messages, since = since, outage = outage,
    index = index, counts = counts, alarm = shape.alarm,
  }
end

local function pulse_kept(state)
  local counts = state.counts
  return pack(
    '>I2I4I6I4I4I6I6BI6I2I2I2', state.seen, state.average, state.last, state.by_clock, state.by_messages,
    state.now, state.since, state.outage and 1 or 0, state.index, counts[1], counts[2], counts[3]
  ), FORGOTTEN
end

READ[KIND] = pulse_read

DETAIL[KIND] = function(state) return state.seen, state.outage and state.since or 0 end

CHARGE[KIND] = function(_, _, state)
  state.counts[1] = min(65535, state.counts[1] + 1)
  return pulse_kept(state)
end

EARLY[KIND] = true

-- outcomes

-- A message that was verified, or not sent, is not waited for any more.
WEIGH[KIND] = function(limit, span, stored, shape)
  if stored == '' and outcome ~= 'v' then return end
  local state = pulse_read(limit, span, stored, now, shape)
  local back = max(0, state.index - floor(sent_at / SLICE)) + 1
  local waited = back <= SLICES and state.counts[back] > 0
  if waited then state.counts[back] = state.counts[back] - 1 end
  if outcome == 'f' then
    if not waited then state.by_messages = max(0, state.by_messages - UNANSWERED) end
    return pulse_kept(state)
  end
  state.by_clock = max(0, state.by_clock - ONE)
  state.by_messages = max(0, state.by_messages - ONE)
  if min(state.by_clock, state.by_messages) < state.alarm then state.outage = false end
  if outcome == 'v' then
    local decayed = floor(state.average * HALF_AN_HOUR / (HALF_AN_HOUR + state.now - state.last))
    state.seen = min(65535, state.seen + 1)
    state.average, state.last = min(HIGHEST_AVERAGE, decayed + 1000), state.now
  end
  return pulse_kept(state)
end
