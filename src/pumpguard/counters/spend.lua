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

-- Gives the amount back to the slice of a time, if that still matters.
local function refunded(span, state)
  local ago = max(0, state.index - floor(sent_at * SLICES / span))
  if ago > SLICES then return end
  local spent = unpack_from(state.format, state.amounts, state.width * ago + 1)
  local back = min(spent, state.amount)
  if back > 0 then return slices_kept(span, state, state.used - back, ago, spent - back) end
end

TELL[KIND] = function(limit, span, stored)
  if outcome == 'f' and stored ~= '' then
    return refunded(span, slices_read(limit, span, stored, now, price, 6))
  end
end
