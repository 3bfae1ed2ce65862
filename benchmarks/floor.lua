-- The hand-written floor's one script: eight limits over six subjects, two buckets each.
--
-- KEYS  one per subject; WINDOWS (put in front by floor.py) says which limits it has
-- A subject's value: banned until (4 bytes), then per limit: bucket, count, count before (4 each)
-- Returns 1 if admitted

local now = tonumber(redis.call('TIME')[1])
local values = redis.call('MGET', unpack(KEYS))
local writes, rolled = {}, {}

for i = 1, #KEYS do
  local value, windows = values[i], WINDOWS[i]
  local packed, fresh = {}, not value
  if value and struct.unpack('>I4', value) > now then return 0 end
  for w = 1, #windows do
    local limit, span = windows[w][1], windows[w][2]
    local bucket = math.floor(now / span)
    local seen, count, before = bucket, 0, 0
    if value then seen, count, before = struct.unpack('>I4I4I4', value, 5 + 12 * (w - 1)) end
    if bucket ~= seen then
      before = bucket == seen + 1 and count or 0
      count, fresh = 0, true
    end
    if count + before * (1 - now % span / span) + 1 > limit then return 0 end
    packed[w] = struct.pack('>I4I4I4', bucket, count + 1, before)
  end
  writes[i] = '\0\0\0\0' .. table.concat(packed)
  rolled[i] = fresh
end

for i = 1, #KEYS do
  if rolled[i] then
    redis.call('SET', KEYS[i], writes[i], 'PX', LONGEST[i])
  else
    redis.call('SET', KEYS[i], writes[i], 'KEEPTTL')
  end
end
return 1
