-- spend: at most `limit` micro-dollars in any true window of `span` milliseconds.
--
-- Stored: in slices (shared/slices.lua). What is reserved is left to numbers that have verified before.

TAIL[KIND] = function()
  local reserved
  reserved, at = unpack_from('>I6', plan, at)
  return reserved
end

READ[KIND] = function(limit, span, stored, now, reserved)
  return slices_read(known and limit or limit - reserved, span, stored, now, price, 6)
end

CHARGE[KIND] = slices_charge

-- outcomes

-- A failed message gives its price back to the slice in which it was sent, if that still matters.
TELL[KIND] = function(limit, span, stored)
  if outcome ~= 'f' or stored == '' then return end
  local state = slices_read(limit, span, stored, now, price, 6)
  local ago = max(0, state.index - floor(sent_at * SLICES / span))
  if ago > SLICES then return end
  local spent = unpack_from(state.format, state.amounts, state.width * ago + 1)
  local back = min(spent, state.amount)
  if back > 0 then return slices_kept(span, state, state.used - back, ago, spent - back) end
end
