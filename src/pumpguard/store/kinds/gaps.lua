-- gaps: do a country's numbers lie nearer to each other than they used to?
--
-- The gap between a number and the nearest of the last 128 others, held against the gaps that were
-- usual; a CUSUM, as explained in the twin.
-- Stored: the day of the last message (2 bytes), until when the alarm lasts (6), the sum
-- (thousandths of a nat, 4), how many gaps are known (2), and of each power of two (2 each, 40), the
-- last numbers, oldest first (5 each).
-- The plan brings where the alarm is, and for how long it lasts. Twin: gaps.py

local GAPS_KEPT, GAPS_OCTAVES, GAPS_FEWEST, GAPS_FADE = 128, 40, 4, 2048
local GAPS_SUPPORT, GAPS_SHARE, GAPS_SCALES, GAPS_NEAR = 8, 0.1, 7, 0.05
local GAPS_SMALLEST = 0.0009118819655545162  -- e ^ -GAPS_SCALES
local GAPS_HIGHEST, GAPS_REMEMBERED = 4294967295, 15  -- days without a message
local GAPS_GAPS, GAPS_HEAD = 15, 14 + 2 * GAPS_OCTAVES  -- where gaps begin, and where they end
local GAPS_FORMAT = '>' .. string.rep('I2', GAPS_OCTAVES)

-- What is stored of a country that nobody knows yet.
local function gaps_nothing()
  local assumed = {[19] = 8, [23] = 8, [27] = 16, [31] = 32}
  local gaps, sum = {}, 0
  for i = 1, GAPS_OCTAVES do
    gaps[i] = assumed[i] or 0
    sum = sum + gaps[i]
  end
  return string.rep('\0', 12) .. pack('>I2', sum) .. pack(GAPS_FORMAT, unpack(gaps))
end

-- The gap to the nearest other number, and whether this one is there already.
local function gaps_nearest(stored, number)
  local size = (#stored - GAPS_HEAD) / 5
  local numbers = {unpack_from('>' .. string.rep('I5', size), stored, GAPS_HEAD + 1)}
  local nearest, again = 0, false
  for i = 1, size do
    local gap = numbers[i] - number
    if gap < 0 then gap = -gap end
    if gap == 0 then
      again = true
    elseif gap < nearest or nearest == 0 then
      nearest = gap
    end
  end
  return nearest, again
end

-- The share of gaps that are as small.
local function gaps_usual(gaps, sum, octave)
  local as_small, reached = 0, 0
  repeat
    reached = reached + 1
    as_small = as_small + gaps[reached]
  until (reached >= octave and as_small >= GAPS_SUPPORT) or reached == GAPS_OCTAVES
  return as_small / sum / 2 ^ (reached - octave)
end

local function gaps_read(_, _, stored, now, shape)
  local number = tonumber(sub(digits .. string.rep('0', 12), 1, 12))
  local state = {now = now, wait = 0, more = 0, most = 1000, shape = shape, number = number}
  if #stored < GAPS_HEAD or (#stored - GAPS_HEAD) % 5 ~= 0 then stored = gaps_nothing() end
  local today, day, till, total = floor(now / DAY), unpack_from('>I2I6I4', stored)
  if today - day >= GAPS_REMEMBERED then
    stored, till, total = gaps_nothing(), 0, 0
  end
  state.day = max(today, day)
  local seen = (#stored - GAPS_HEAD) / 5
  state.stored, state.used, state.till, state.total = stored, seen, till, total
  if known or seen == 0 then return state end
  local gap, again = gaps_nearest(stored, number)
  state.again = again
  if seen < GAPS_FEWEST then return state end
  local _, octave = math.frexp(gap * seen / GAPS_KEPT)
  octave = min(GAPS_OCTAVES, max(1, octave))
  local sum, gaps = unpack_from('>I2', stored, 13), {unpack_from(GAPS_FORMAT, stored, GAPS_GAPS)}
  state.octave, state.gaps, state.sum = octave, gaps, sum
  local usual = gaps_usual(gaps, sum, octave)
  state.most = floor(1000 * usual)
  if till > now then
    if usual <= GAPS_NEAR then state.wait = till - now end
  elseif not again then
    local worth = ln(1 - GAPS_SHARE + GAPS_SHARE / (GAPS_SCALES * max(GAPS_SMALLEST, usual)))
    total = min(GAPS_HIGHEST, max(0, total + floor(1000 * worth)))
    state.total = total
    if total >= shape.h then
      state.begins, state.more, state.wait = true, total, shape.hold
    end
  end
  return state
end

-- How many gaps are known, with one more.
local function gaps_learned(stored, gaps, sum, octave)
  gaps[octave], sum = gaps[octave] + 1, sum + 1
  if sum < GAPS_FADE then
    local at = GAPS_GAPS + 2 * octave - 2
    return pack('>I2', sum) .. sub(stored, GAPS_GAPS, at - 1) .. pack('>I2', gaps[octave])
      .. sub(stored, at + 2, GAPS_HEAD)
  end
  sum = 0
  for i = 1, GAPS_OCTAVES do
    gaps[i] = floor(gaps[i] / 2)
    sum = sum + gaps[i]
  end
  return pack('>I2', sum) .. pack(GAPS_FORMAT, unpack(gaps))
end

-- One number more, and one gap; or the alarm begins, and the sum with it anew.
local function gaps_charge(_, _, state)
  local stored, ttl = state.stored, (state.day + GAPS_REMEMBERED) * DAY - state.now
  if state.begins then
    local head = pack('>I2I6I4', state.day, state.now + state.shape.hold, 0)
    return head .. sub(stored, 13), ttl
  end
  if known or state.again then return end
  local known_gaps = sub(stored, 13, GAPS_HEAD)
  if state.octave and state.till <= state.now and 2 * state.total < state.shape.h then
    known_gaps = gaps_learned(stored, state.gaps, state.sum, state.octave)
  end
  local from = state.used < GAPS_KEPT and GAPS_HEAD + 1 or GAPS_HEAD + 6
  return pack('>I2I6I4', state.day, state.till, state.total) .. known_gaps
    .. sub(stored, from) .. pack('>I5', state.number), ttl
end

READ.H, CHARGE.H = gaps_read, gaps_charge
