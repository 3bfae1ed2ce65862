-- spike: is there far more of it than usual?
--
-- The last `span` in ten slices, the current one included, against the hourly average (spike.py).
-- Until a day has been seen, an hour counts in full, and nothing is a spike.
-- Stored: the current hour (4 bytes), how many were seen before (2), their average (thousandths of
-- a hit per hour, 6), hits in the current one (4), the current slice (5), the hits in it and in the
-- nine before, newest first (3 each).

local HOUR = 3600000
local HOURS_KEPT = 192  -- of silence, after which all is forgotten
local HOURS_AVERAGED, FOUNDED = 48, 24  -- hours in the average; hours before anything is a spike
local MOST = 16777215  -- hits in a slice

-- The average per hour and how many hours it is of, with `count` more hits in one more hour.
local function spike_folded(average, seen, count, most)
  local hits = count * 1000
  if seen >= FOUNDED then hits = min(hits, max(2 * average, most)) end
  seen = min(65535, seen + 1)
  return average + floor((hits - average) / min(seen, HOURS_AVERAGED)), seen
end

TAIL[KIND] = function()
  local permille
  permille, at = unpack_from('>I4', plan, at)
  return permille
end

READ[KIND] = function(limit, span, stored, now, permille)
  local slice = span / 10
  local index, hour = floor(now / slice), floor(now / HOUR)
  local at_hour, seen, average, count, newest, counts = hour, 0, 0, 0, index, string.rep('\0', 30)
  if #stored == 51 then
    local last_hour, hours, mean, hits, last = unpack_from('>I4I2I6I4I5', stored)
    if hour - last_hour <= HOURS_KEPT then
      at_hour, seen, average, count, newest = last_hour, hours, mean, hits, last
      counts = sub(stored, 22)
    end
  end
  -- Below this many an hour nothing is a spike, so it may become usual at once.
  local most = floor(limit * 1000 * (HOUR / span) * 1000 / permille)
  while at_hour < hour do
    average, seen = spike_folded(average, seen, count, most)
    at_hour, count = at_hour + 1, 0
  end
  if index > newest then
    counts = sub(string.rep('\0', 3 * min(10, index - newest)) .. counts, 1, 30)
    newest = index
  end
  local used = 0
  for at = 1, 30, 3 do used = used + unpack_from('>I3', counts, at) end
  local usual = average * span / HOUR  -- thousandths
  local full = seen >= FOUNDED and used >= limit and used * 1000000 > usual * permille
  return {
    used = used, wait = full and 1000 or 0, usual = floor(usual), seen = seen, always = true,
    hour = at_hour, average = average, count = count, newest = newest, counts = counts,
  }
end

DETAIL[KIND] = function(state) return state.usual, state.seen end

CHARGE[KIND] = function(_, _, state)
  local first = min(MOST, unpack_from('>I3', state.counts) + 1)
  return pack(
    '>I4I2I6I4I5I3', state.hour, state.seen, state.average, state.count + 1, state.newest, first
  ) .. sub(state.counts, 4), (HOURS_KEPT + 1) * HOUR
end
