-- spend: at most `limit` micro-dollars in any true window of `span` milliseconds.
--
-- Stored: in slices (shared/slices.lua). What is reserved is for who has verified before (common.lua).

TAIL[KIND] = function()
  local reserved
  reserved, at = unpack_from('>I6', plan, at)
  return reserved
end

READ[KIND] = function(limit, span, stored, now, reserved)
  return slices_read(limit - reserved + opened(reserved), span, stored, now, price, 6)
end

CHARGE[KIND] = slices_charge

-- outcomes

-- A message that was not sent gives its price back, while refunds have room.
TELL[KIND] = function(limit, span, stored)
  if outcome ~= 'f' or stored == '' or not refunded then return end
  return slices_give_back(span, slices_read(limit, span, stored, now, price, 6), sent_at)
end
