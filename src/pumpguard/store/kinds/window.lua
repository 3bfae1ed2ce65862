-- window: at most `limit` hits in any true window of `span` milliseconds.
--
-- Up to 10 hits: an exact log, 6 bytes per hit, oldest first.
-- Above: conservative slices. The window is cut into 10; the current slice and the 10 before it
-- are summed whole, and together they cover every instant of the true window, so the sum is never
-- below the true count. Stored: index of the newest slice (6 bytes), then 11 counts, newest first,
-- of 2 bytes each (4 if the limit needs them).
-- Twin: window.py

local EXACT_UP_TO = 10
local SLICES = 10
local TIMES = {}  -- format by length of the log
for n = 1, EXACT_UP_TO do TIMES[n] = '>' .. string.rep('I6', n) end
local NARROW = '>I6' .. string.rep('I2', SLICES + 1)
local WIDE = '>I6' .. string.rep('I4', SLICES + 1)

local function log_read(limit, span, stored, now)
  local hits = math.floor(#stored / 6)
  local times = hits > 0 and {struct.unpack(TIMES[math.min(hits, EXACT_UP_TO)], stored)} or {}
  times[math.min(hits, EXACT_UP_TO) + 1] = nil  -- struct.unpack's last result is a position
  now = math.max(now, times[#times] or 0)
  local oldest, edge = 1, now - span
  while times[oldest] and times[oldest] <= edge do oldest = oldest + 1 end
  local used, wait = #times - oldest + 1, 0
  if used >= limit then wait = times[#times - limit + 1] + span - now end
  return {used = used, wait = wait, now = now, stored = stored, oldest = oldest}
end

local function log_charge(limit, state)
  local gone = math.max(state.oldest - 1, math.floor(#state.stored / 6) - limit + 1)
  return string.sub(state.stored, 6 * gone + 1) .. struct.pack('>I6', state.now)
end

local function slices_read(limit, span, stored, now)
  local width = span / SLICES
  local index = math.floor(now / width)
  local format = limit > 65535 and WIDE or NARROW
  local counts, total, wait = {}, 0, 0
  if #stored == struct.size(format) then
    local kept = {struct.unpack(format, stored)}
    local newest = kept[1]
    if index < newest then
      index, now = newest, newest * width
    end
    local shift = index - newest
    for i = 0, SLICES do
      local count = i >= shift and kept[2 + i - shift] or 0
      counts[i + 1] = count
      total = total + count
    end
  else
    for i = 1, SLICES + 1 do counts[i] = 0 end
  end
  if total >= limit then
    local left, passed = total, 0
    while left + 1 > limit do
      left = left - counts[SLICES + 1 - passed]
      passed = passed + 1
    end
    wait = (index + passed) * width - now
  end
  return {used = total, wait = wait, now = now, index = index, counts = counts, format = format}
end

local function slices_charge(state)
  state.counts[1] = state.counts[1] + 1
  return struct.pack(state.format, state.index, unpack(state.counts))
end

local function window_read(spec, stored, now)
  if spec.limit <= EXACT_UP_TO then return log_read(spec.limit, spec.span, stored, now) end
  return slices_read(spec.limit, spec.span, stored, now)
end

-- Returns what to store, and for how long it can matter.
local function window_charge(spec, state)
  if state.counts then return slices_charge(state), spec.span * 1.1 end
  return log_charge(spec.limit, state), spec.span
end
