-- neighbours: at most `limit` other numbers within `distance` of this one in any true window. Does not
-- speak against customers (common.lua).
--
-- Stored: 8 bytes per hit, its time (6) and the last four digits (2), oldest first, 24 at most.

local NUMBERS_KEPT = 24

TAIL[KIND] = function()
  local distance
  distance, at = unpack_from('>I2', plan, at)
  return distance
end

READ[KIND] = function(limit, span, stored, now, distance)
  local size = #stored - #stored % 8
  if size > 0 then now = max(now, (unpack_from('>I6', stored, size - 7))) end
  local edge, near, seen, oldest = now - span, {}, {}, size + 1
  for at = size - 7, 1, -8 do  -- newest first, so that each number counts with its latest time
    local time, other = unpack_from('>I6I2', stored, at)
    if time <= edge then break end
    oldest = at
    if other ~= last4 and other - last4 <= distance and last4 - other <= distance
        and not seen[other] then
      seen[other] = true
      near[#near + 1] = time
    end
  end
  local wait = 0
  if #near >= limit and halves < 2 then wait = near[limit] + span - now end
  return {used = #near, wait = wait, now = now, live = sub(stored, oldest, size)}
end

CHARGE[KIND] = function(_, span, state)
  local hits = state.live .. pack('>I6I2', state.now, last4)
  return sub(hits, -8 * NUMBERS_KEPT), span
end

-- outcomes

-- A message that was not sent takes its hit back. Where all places are taken, older hits may have been
-- dropped for younger ones, which must not be forgotten without them.
TELL[KIND] = function(_, span, stored)
  if outcome ~= 'f' or #stored >= 8 * NUMBERS_KEPT then return end
  local hit = pack('>I6I2', sent_at, last4)
  for from = #stored - 7, 1, -8 do
    if sub(stored, from, from + 7) == hit then
      return sub(stored, 1, from - 1) .. sub(stored, from + 8), span
    end
  end
end
