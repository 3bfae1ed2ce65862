-- neighbours: at most `limit` other places within `distance` of this one in any true window.
--
-- Bots walk through a block (123, 124, 125) or draw from it at random; real users almost never sit next
-- to each other within the hour.
-- Stored: 8 bytes per hit, its time (6) and its place (2), oldest first, 24 at most.
-- The question brings this request's place, the plan the distance.

local REMEMBERED = 24

local function neighbours_read(limit, span, stored, now, reach)
  local mine, distance = reach.place, reach.distance
  local size = #stored - #stored % 8
  if size > 0 then now = max(now, (unpack_from('>I6', stored, size - 7))) end
  local edge, near, seen, oldest = now - span, {}, {}, size + 1
  for at = size - 7, 1, -8 do  -- newest first, so that each place counts with its latest time
    local time, place = unpack_from('>I6I2', stored, at)
    if time <= edge then break end
    oldest = at
    if place ~= mine and place - mine <= distance and mine - place <= distance
        and not seen[place] then
      seen[place] = true
      near[#near + 1] = time
    end
  end
  local wait = 0
  if #near >= limit then wait = near[limit] + span - now end
  return {used = #near, wait = wait, now = now, live = sub(stored, oldest, size), place = mine}
end

local function neighbours_charge(_, span, state)
  local hits = state.live .. pack('>I6I2', state.now, state.place)
  return sub(hits, -8 * REMEMBERED), span
end

READ.N, CHARGE.N = neighbours_read, neighbours_charge
