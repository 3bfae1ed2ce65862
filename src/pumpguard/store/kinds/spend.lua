-- spend: at most `limit` micro-dollars in any true window of `span` milliseconds.
--
-- Slices as in a wide window: the current one and the 10 before it cover the true window, so their
-- sum is never below what was spent in it.
-- Stored: index of the newest slice (6 bytes), the sum (6), then 11 amounts, newest first, of 6
-- bytes each. The plan brings what is reserved for known numbers, the question the price.
-- Refunds are kept in the same way. Twin: spend.py

local PERIODS = 10
local AMOUNTS = 6 * (PERIODS + 1)  -- bytes

local function spend_wait(allowed, slice, state)
  local left, passed = state.used, 0
  while left + price > allowed and passed <= PERIODS do
    left = left - unpack_from('>I6', state.amounts, 1 + 6 * (PERIODS - passed))
    passed = passed + 1
  end
  return (state.index + passed) * slice - state.now
end

local function spend_read(limit, span, stored, now, reserved)
  local slice = span / PERIODS
  local index, total, amounts = floor(now / slice), 0, nil
  if #stored == 12 + AMOUNTS then
    local newest, sum = unpack_from('>I6I6', stored)
    total, amounts = sum, sub(stored, 13)
    if index < newest then
      index, now = newest, newest * slice
    elseif index > newest then
      local kept = max(0, PERIODS + 1 - (index - newest)) * 6
      for at = kept + 1, #amounts, 6 do total = total - unpack_from('>I6', amounts, at) end
      amounts = string.rep('\0', AMOUNTS - kept) .. sub(amounts, 1, kept)
    end
  end
  amounts = amounts or string.rep('\0', AMOUNTS)
  local state = {used = total, wait = 0, now = now, index = index, amounts = amounts}
  local allowed = known and limit or limit - reserved
  if total + price > allowed then state.wait = spend_wait(allowed, slice, state) end
  return state
end

local function spend_charge(_, span, state)
  local amounts = state.amounts
  local newest = unpack_from('>I6', amounts) + price
  return pack('>I6I6I6', state.index, state.used + price, newest) .. sub(amounts, 7),
    span * 1.1
end

-- Gives the price back to the slice in which it was spent, if that still matters.
local function spend_refund(span, state, sent_at)
  local slices_ago = max(0, state.index - floor(sent_at * PERIODS / span))
  if slices_ago > PERIODS then return end
  local at, amounts = 6 * slices_ago, state.amounts
  local spent = unpack_from('>I6', amounts, at + 1)
  local back = min(spent, price)
  if back == 0 then return end
  return pack('>I6I6', state.index, state.used - back) .. sub(amounts, 1, at)
    .. pack('>I6', spent - back) .. sub(amounts, at + 7), span * 1.1
end

READ.S, CHARGE.S = spend_read, spend_charge
