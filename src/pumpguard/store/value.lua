-- value: all counters about one subject in one string.
--
-- The time it expires (6 bytes), then a segment per counter: id (3), length (1; 255 if it is that
-- or more, and then 2), bytes. Segments
-- that a plan does not know belong to another version of it, or to another plan, and are kept.

local LONGEST = 400 * 86400000  -- ms that any counter may matter

-- The value and when it expires; nothing and 0 for what is not one of ours.
local function value_checked(value, now)
  if not value or #value < 6 then return '', 0 end
  local expires = struct.unpack('>I6', value)
  if expires > now + LONGEST then return '', 0 end
  return value, expires
end

local function value_segments(value)
  local found, from = {}, 7
  while from + 3 <= #value do
    local id, size = struct.unpack('>I3B', value, from)
    from = from + 4
    if size == 255 then
      if #value < from + 1 then break end
      size = struct.unpack('>I2', value, from)
      from = from + 2
    end
    found[id] = string.sub(value, from, from + size - 1)
    from = from + size
  end
  return found
end

local function value_segment(id, stored)
  if #stored < 255 then return struct.pack('>I3B', id, #stored) .. stored end
  return struct.pack('>I3BI2', id, 255, #stored) .. stored
end

-- Writes the segments of ids[first..last], and of the others as many as `room` bytes hold. They
-- matter for `ttl` ms; the expiry is moved in steps of a tenth, so that most writes leave it as
-- it is.
local function value_write(key, segments, ids, first, last, room, expires, now, ttl)
  local parts, size = {''}, 0
  for i = first, last do
    local id = ids[i]
    local stored = segments[id]
    if stored then
      parts[#parts + 1] = value_segment(id, stored)
      segments[id] = nil
    end
  end
  for id, stored in pairs(segments) do
    if size + 4 + #stored <= room then
      parts[#parts + 1] = value_segment(id, stored)
      size = size + 4 + #stored
    end
  end
  if expires >= now + ttl then
    parts[1] = struct.pack('>I6', expires)
    redis.call('SET', key, table.concat(parts), 'KEEPTTL')
  else
    ttl = math.ceil(ttl * 1.1)
    parts[1] = struct.pack('>I6', now + ttl)
    redis.call('SET', key, table.concat(parts), 'PX', ttl)
  end
end
