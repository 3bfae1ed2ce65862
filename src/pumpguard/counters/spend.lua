-- spend: at most `limit` micro-dollars in any true window of `span` milliseconds.
--
-- Stored: in slices (shared/slices.lua). What is reserved is for who has verified before (common.lua).

TAIL[KIND] = function()
  local reserved, verified
  reserved, verified, at = unpack_from('>I6I2', plan, at)
  return {reserved = reserved, verified = verified}
end

READ[KIND] = function(limit, span, stored, now, shape)
  local reserved = shape.reserved
  return slices_read(limit - reserved + opened(reserved), span, stored, now, price, 6)
end

CHARGE[KIND] = slices_charge

-- outcomes

-- A message that was not sent gives its price back, while refunds have room; one that was verified a
-- part of it, and less if that looks bought.
TELL[KIND] = function(limit, span, stored, shape, _, worth)
  if stored == '' or (outcome == 'f' and not refunded) then return end
  local back = price
  if outcome ~= 'f' then back = floor(floor(price * (1000 - shape.verified) / 1000) * worth / 1000) end
  return slices_give_back(span, slices_read(limit, span, stored, now, back, 6), sent_at)
end
