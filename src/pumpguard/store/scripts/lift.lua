-- lift: takes bans off a subject, with their strikes and levels, and leaves all else that is counted
-- about it as it is.
--
-- KEYS  1  the subject's
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  the ids of the bans, 3 bytes each
-- Returns  how many stood, or had strikes

local now, gone = time_of(tonumber(ARGV[1])), {}
for from = 1, #ARGV[2], 3 do gone[unpack_from('>I3', ARGV[2], from)] = true end
local value, expires = value_checked(redis.call('MGET', KEYS[1])[1], now)
if expires <= now then return 0 end
local kept, count = value_segments(value), 0
for id in pairs(gone) do
  if kept[id] then
    kept[id], count = nil, count + 1
  end
end
local parts = {''}
value_join_others(parts, 6, kept, math.huge)
if count > 0 then value_write(KEYS[1], parts, expires, now, 0) end
return count
