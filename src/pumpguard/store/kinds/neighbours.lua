-- neighbours: at most `limit` other positions within `distance` of this one in any true window.
--
-- Value: 8 bytes per hit, its time (6) and its position (2), oldest first, 32 at most.
-- ARGV tail: this request's position (2 bytes) and the distance (2 bytes).
-- Twin: neighbours.py

local REMEMBERED = 32

local function neighbours_read(spec, value, now)
  local position, distance = struct.unpack('>I2I2', spec.tail)
  local hits = {}
  for at = 1, #value - 7, 8 do
    local time, place = struct.unpack('>I6I2', value, at)
    hits[#hits + 1] = {time = time, place = place}
    now = math.max(now, time)
  end
  local live, near, seen = {}, {}, {}
  for i = #hits, 1, -1 do  -- newest first, so that each place counts with its latest time
    local time, place = hits[i].time, hits[i].place
    if time > now - spec.span then
      table.insert(live, 1, struct.pack('>I6I2', time, place))
      if place ~= position and math.abs(place - position) <= distance and not seen[place] then
        seen[place] = true
        near[#near + 1] = time
      end
    end
  end
  local wait = 0
  if #near >= spec.limit then wait = near[spec.limit] + spec.span - now end
  return {used = #near, wait = wait, now = now, live = live, position = position}
end

local function neighbours_charge(spec, state)
  local live = state.live
  live[#live + 1] = struct.pack('>I6I2', state.now, state.position)
  local kept = {}
  for i = math.max(1, #live - REMEMBERED + 1), #live do kept[#kept + 1] = live[i] end
  return table.concat(kept), spec.span
end
