-- window: at most `limit` hits in any true window of `span` milliseconds.
--
-- Up to 10 hits: an exact log, 6 bytes per hit, oldest first.
-- Above: conservative slices. The window is cut into 10; the current slice and the 10 before it
-- are summed whole, and together they cover every instant of the true window, so the sum is never
-- below the true count. Stored: index of the newest slice (6 bytes), the sum (4), then 11 counts,
-- newest first, of 2 bytes each (4 if the limit needs them). The counts stay packed: most
-- requests need no more than the sum and the first of them.
-- A window with room (L) may let through more, up to `most` times its limit; how it is kept depends
-- on the highest limit that it may have. Twin: window.py

local EXACT_UP_TO = 10
local SLICES = 10
-- The body of a script runs anew for every call: what it builds here, every call pays for.
local TIMES = '>I6I6I6I6I6I6I6I6I6I6'  -- a log's format, cut to its length
local EMPTY = {
  [2] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
  [4] = '\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0',
}
local COUNT = {[2] = '>I2', [4] = '>I4'}
local HEAD = {[2] = '>I6I4I2', [4] = '>I6I4I4'}

local function log_read(limit, span, stored, now)
  local hits = math.floor(#stored / 6)
  hits = math.min(hits, EXACT_UP_TO)
  local times = {struct.unpack(string.sub(TIMES, 1, 1 + 2 * hits), stored)}
  times[hits + 1] = nil  -- struct.unpack's last result is a position
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

local function slices_sum(counts, width, from)
  local sum = 0
  for at = from, #counts, width do sum = sum + struct.unpack(COUNT[width], counts, at) end
  return sum
end

local function slices_wait(limit, span, state)
  local left, passed, width = state.used, 0, state.width
  while left + 1 > limit do
    left = left - struct.unpack(COUNT[width], state.counts, 1 + width * (SLICES - passed))
    passed = passed + 1
  end
  return (state.index + passed) * (span / SLICES) - state.now
end

local function slices_read(limit, span, stored, now, highest)
  local slice, width = span / SLICES, highest > 65535 and 4 or 2
  local index, total, counts = math.floor(now / slice), 0, EMPTY[width]
  if #stored == 10 + #counts then
    local newest, sum = struct.unpack('>I6I4', stored)
    total, counts = sum, string.sub(stored, 11)
    if index < newest then
      index, now = newest, newest * slice
    elseif index > newest then
      local kept = math.max(0, SLICES + 1 - (index - newest)) * width
      total = total - slices_sum(counts, width, kept + 1)
      counts = string.sub(EMPTY[width], kept + 1) .. string.sub(counts, 1, kept)
    end
  end
  local state = {used = total, wait = 0, now = now, index = index, counts = counts, width = width}
  if total >= limit then state.wait = slices_wait(limit, span, state) end
  return state
end

local function slices_charge(state)
  local counts, width = state.counts, state.width
  local newest = struct.unpack(COUNT[width], counts) + 1
  return struct.pack(HEAD[width], state.index, state.used + 1, newest)
    .. string.sub(counts, width + 1)
end

local function window_read(limit, span, stored, now, highest)
  highest = highest or limit
  if highest <= EXACT_UP_TO then return log_read(limit, span, stored, now) end
  return slices_read(limit, span, stored, now, highest)
end

-- Returns what to store, and for how long it can matter.
local function window_charge(limit, span, state)
  if state.counts then return slices_charge(state), span * 1.1 end
  return log_charge(limit, state), span
end

READ.W, CHARGE.W = window_read, window_charge

function READ.L(limit, span, stored, now, most)
  local highest = limit * most
  local held = math.min(highest, limit + room)
  local state = window_read(held, span, stored, now, highest)
  state.highest, state.more, state.most = highest, held, room
  return state
end

function CHARGE.L(_, span, state) return window_charge(state.highest, span, state) end
