-- refunds: at most `limit` micro-dollars are given back in any true window of `span` milliseconds.
--
-- Stored: in slices (shared/slices.lua).

-- outcomes

-- The price of a message that was not sent is refunded only if there is room for that.
WEIGH[KIND] = function(limit, span, stored)
  local state = slices_read(limit, span, stored, now, price, 6)
  refunded = state.wait == 0
  if refunded then return slices_charge(limit, span, state) end
end
