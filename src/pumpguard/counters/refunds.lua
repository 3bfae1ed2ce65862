-- refunds: at most `limit` micro-dollars are given back in any true window of `span` milliseconds.
--
-- Stored: in slices (shared/slices.lua).

-- outcomes

-- A message that failed is refunded only if there is room for that.
TAKE[KIND] = function(limit, span, stored)
  local state = slices_read(limit, span, stored, now, price, 6)
  if state.wait > 0 then return false end
  return true, slices_charge(limit, span, state)
end
