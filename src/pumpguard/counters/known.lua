-- known: has this number been verified within the last `span` milliseconds?
--
-- Stored: until when it is known (6 bytes), when a verification last counted (6). Never full; written
-- by the script `redeem` alone.

READ[KIND] = function(_, _, stored, now)
  known = #stored == 12 and unpack_from('>I6', stored) > now
  return {used = known and 1 or 0, wait = 0}
end

-- outcomes

-- What to store when the number is verified, for how long, and whether that counts.
local function known_verified(span, stored, now, has_ticket)
  local ends, counted = now + span, 0
  if #stored == 12 then
    ends, counted = unpack_from('>I6I6', stored)
    ends = max(ends, now + span)
  end
  local counts = has_ticket and now - counted >= DAY
  return pack('>I6I6', ends, counts and now or counted), max(ends - now, DAY), counts
end
