-- slices: at most `limit` in any true window of `span` milliseconds, of what is too much for a log:
-- of micro-dollars (S), or of more hits than a log keeps (W).
--
-- The window is cut into 10; the current slice and the 10 before it are summed whole, and together
-- they cover every instant of the true window, so the sum is never below what was in it.
-- Stored: index of the newest slice (6 bytes), the sum (6), then 11 amounts, newest first, of 6
-- bytes each. They stay packed: most requests need no more than the sum and the first of them.
-- The plan brings what of the limit is reserved for known numbers (S), or up to how many times the
-- limit room may lead (L). Refunds are kept in the same way. Twin: slices.py

local SLICES = 10
local AMOUNTS = 6 * (SLICES + 1)  -- bytes

local function slices_wait(limit, span, amount, state)
  local left, passed = state.used, 0
  while left + amount > limit and passed <= SLICES do
    left = left - unpack_from('>I6', state.amounts, 1 + 6 * (SLICES - passed))
    passed = passed + 1
  end
  return (state.index + passed) * (span / SLICES) - state.now
end

local function slices_read(limit, span, stored, now, amount)
  local slice = span / SLICES
  local index, total, amounts = floor(now / slice), 0, nil
  if #stored == 12 + AMOUNTS then
    local newest, sum = unpack_from('>I6I6', stored)
    total, amounts = sum, sub(stored, 13)
    if index < newest then
      index, now = newest, newest * slice
    elseif index > newest then
      local kept = 6 * max(0, SLICES + 1 - (index - newest))
      for from = kept + 1, AMOUNTS, 6 do total = total - unpack_from('>I6', amounts, from) end
      amounts = string.rep('\0', AMOUNTS - kept) .. sub(amounts, 1, kept)
    end
  end
  local state = {
    used = total, wait = 0, now = now, index = index, amount = amount,
    amounts = amounts or string.rep('\0', AMOUNTS),
  }
  if total + amount > limit then state.wait = slices_wait(limit, span, amount, state) end
  return state
end

local function slices_charge(_, span, state)
  local newest = unpack_from('>I6', state.amounts) + state.amount
  return pack('>I6I6I6', state.index, state.used + state.amount, newest) .. sub(state.amounts, 7),
    span * 1.1
end

-- Gives the amount back to the slice of a time, if that still matters.
local function slices_refund(span, state, sent_at)
  local ago = max(0, state.index - floor(sent_at * SLICES / span))
  if ago > SLICES then return end
  local at, amounts = 6 * ago, state.amounts
  local spent = unpack_from('>I6', amounts, at + 1)
  local back = min(spent, state.amount)
  if back == 0 then return end
  return pack('>I6I6', state.index, state.used - back) .. sub(amounts, 1, at)
    .. pack('>I6', spent - back) .. sub(amounts, at + 7), span * 1.1
end

function READ.S(limit, span, stored, now, reserved)
  return slices_read(known and limit or limit - reserved, span, stored, now, price)
end

function READ.W(limit, span, stored, now) return slices_read(limit, span, stored, now, 1) end

function READ.L(limit, span, stored, now, most)
  local held = min(limit * most, limit + room)
  local state = slices_read(held, span, stored, now, 1)
  state.more, state.most = held, room
  return state
end

CHARGE.S, CHARGE.W, CHARGE.L = slices_charge, slices_charge, slices_charge
