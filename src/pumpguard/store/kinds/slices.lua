-- slices: a window of at most `limit` hits in `span` milliseconds, where that is too many for a log.
--
-- The window is cut into 10; the current slice and the 10 before it are summed whole, and together
-- they cover every instant of the true window, so the sum is never below the true count.
-- Stored: index of the newest slice (6 bytes), the sum (4), then 11 counts, newest first, of 4 bytes
-- each. The counts stay packed: most requests need no more than the sum and the first of them.
-- One with room (L) may let through more, up to `most` times its limit, which the plan brings.
-- Twin: window.py

local SLICES = 10
local COUNTS = 4 * (SLICES + 1)  -- bytes

local function slices_wait(limit, span, state)
  local left, passed = state.used, 0
  while left + 1 > limit do
    left = left - unpack_from('>I4', state.counts, 1 + 4 * (SLICES - passed))
    passed = passed + 1
  end
  return (state.index + passed) * (span / SLICES) - state.now
end

local function slices_read(limit, span, stored, now)
  local slice = span / SLICES
  local index, total, counts = floor(now / slice), 0, nil
  if #stored == 10 + COUNTS then
    local newest, sum = unpack_from('>I6I4', stored)
    total, counts = sum, sub(stored, 11)
    if index < newest then
      index, now = newest, newest * slice
    elseif index > newest then
      local kept = 4 * max(0, SLICES + 1 - (index - newest))
      for from = kept + 1, COUNTS, 4 do total = total - unpack_from('>I4', counts, from) end
      counts = string.rep('\0', COUNTS - kept) .. sub(counts, 1, kept)
    end
  end
  counts = counts or string.rep('\0', COUNTS)
  local state = {used = total, wait = 0, now = now, index = index, counts = counts}
  if total >= limit then state.wait = slices_wait(limit, span, state) end
  return state
end

local function slices_charge(_, span, state)
  local newest = unpack_from('>I4', state.counts) + 1
  return pack('>I6I4I4', state.index, state.used + 1, newest) .. sub(state.counts, 5), span * 1.1
end

READ.W, CHARGE.W = slices_read, slices_charge

function READ.L(limit, span, stored, now, most)
  local held = min(limit * most, limit + room)
  local state = slices_read(held, span, stored, now)
  state.more, state.most = held, room
  return state
end

CHARGE.L = slices_charge
