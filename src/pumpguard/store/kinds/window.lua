-- window: at most `limit` hits in any true window of `span` milliseconds.
--
-- Up to 10 hits: an exact log, 6 bytes per hit, oldest first.
-- Above: conservative slices. The window is cut into 10; the current slice and the 10 before it
-- are summed whole, and together they cover every instant of the true window, so the sum is never
-- below the true count. Value: index of the newest slice (6 bytes), then 11 counts of 4 bytes,
-- newest first.
-- Twin: window.py

local EXACT_UP_TO = 10
local SLICES = 10

local function log_read(limit, span, value, now)
  local times = {}
  for at = 1, #value - 5, 6 do
    times[#times + 1] = struct.unpack('>I6', value, at)
  end
  now = math.max(now, times[#times] or 0)
  local live = {}
  for _, time in ipairs(times) do
    if time > now - span then live[#live + 1] = time end
  end
  local wait = 0
  if #live >= limit then wait = live[#live - limit + 1] + span - now end
  return {used = #live, wait = wait, now = now, live = live}
end

local function log_charge(limit, span, state)
  local live = state.live
  live[#live + 1] = state.now
  local packed = {}
  for i = math.max(1, #live - limit + 1), #live do
    packed[#packed + 1] = struct.pack('>I6', live[i])
  end
  return table.concat(packed), span
end

local function slices_read(limit, span, value, now)
  local width = span / SLICES
  local index = math.floor(now / width)
  local counts, total = {}, 0
  for i = 0, SLICES do counts[i] = 0 end
  if #value == 6 + 4 * (SLICES + 1) then
    local newest = struct.unpack('>I6', value)
    index = math.max(index, newest)
    now = math.max(now, newest * width)
    for i = index - newest, SLICES do
      counts[i] = struct.unpack('>I4', value, 7 + 4 * (i - (index - newest)))
      total = total + counts[i]
    end
  end
  local wait, left, passed = 0, total, 0
  while left + 1 > limit do
    left = left - counts[SLICES - passed]
    passed = passed + 1
    wait = (index + passed) * width - now
  end
  return {used = total, wait = wait, now = now, index = index, counts = counts}
end

local function slices_charge(span, state)
  state.counts[0] = state.counts[0] + 1
  local packed = {struct.pack('>I6', state.index)}
  for i = 0, SLICES do packed[#packed + 1] = struct.pack('>I4', state.counts[i]) end
  return table.concat(packed), span + span / SLICES
end

local function window_read(spec, value, now)
  if spec.limit <= EXACT_UP_TO then return log_read(spec.limit, spec.span, value, now) end
  return slices_read(spec.limit, spec.span, value, now)
end

local function window_charge(spec, state)
  if spec.limit <= EXACT_UP_TO then return log_charge(spec.limit, spec.span, state) end
  return slices_charge(spec.span, state)
end
