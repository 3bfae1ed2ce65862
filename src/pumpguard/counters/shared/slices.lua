-- slices: at most `limit` in any true window of `span` milliseconds, of what is too much for a log:
-- of micro-dollars, or of more hits than a log keeps.
--
-- The window is cut into 10; the current slice and the 10 before it are summed whole, and together
-- they cover every instant of the true window, so the sum is never below what was in it.
-- Stored: index of the newest slice (6 bytes), the sum (6), then 11 amounts, newest first, of 6 bytes
-- each; 2 for hits, 4 if the limit needs them. Attempts above what these hold are not counted: a window
-- is full of them long before. They stay packed: most requests need no more than the sum and the first.

local SLICES = 10

local function slices_wait(limit, span, state)
  local left, passed, width = state.used, 0, state.width
  while left + state.amount > limit and passed <= SLICES do
    left = left - unpack_from(state.format, state.amounts, 1 + width * (SLICES - passed))
    passed = passed + 1
  end
  return (state.index + passed) * (span / SLICES) - state.now
end

local function slices_read(limit, span, stored, now, amount, width)
  local slice, size, format = span / SLICES, (SLICES + 1) * width, '>I' .. width
  local index, total, amounts = floor(now / slice), 0, nil
  if #stored == 12 + size then
    local newest, sum = unpack_from('>I6I6', stored)
    total, amounts = sum, sub(stored, 13)
    if index < newest then
      index, now = newest, newest * slice
    elseif index > newest then
      local kept = width * max(0, SLICES + 1 - (index - newest))
      for from = kept + 1, size, width do total = total - unpack_from(format, amounts, from) end
      amounts = string.rep('\0', size - kept) .. sub(amounts, 1, kept)
    end
  end
  local state = {
    used = total, wait = 0, now = now, index = index, amount = amount,
    amounts = amounts or string.rep('\0', size), width = width, format = format,
  }
  if total + amount > limit then state.wait = slices_wait(limit, span, state) end
  return state
end

-- With another amount in the slice of so many ago.
local function slices_kept(span, state, total, ago, amount)
  local at, amounts = state.width * ago, state.amounts
  return pack('>I6I6', state.index, total) .. sub(amounts, 1, at) .. pack(state.format, amount)
    .. sub(amounts, at + state.width + 1), span * 1.1
end

local function slices_charge(_, span, state)
  local newest = unpack_from(state.format, state.amounts)
  local amount = min(newest + state.amount, 256 ^ state.width - 1)
  return slices_kept(span, state, state.used + amount - newest, 0, amount)
end

local function hits_read(limit, span, stored, now, highest)
  return slices_read(limit, span, stored, now, 1, highest > 65535 and 4 or 2)
end
