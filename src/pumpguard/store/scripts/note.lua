-- A short text under a name, kept for a while: what the fleet has to know beside its counters.
--
-- KEYS  1  the name's key
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  for how many ms to keep the text, or 0 to look it up
--       3  the text, sealed
-- Returns  the text that is kept, or nothing

local now, span = time_of(tonumber(ARGV[1])), tonumber(ARGV[2])
if span > 0 then
  redis.call('SET', KEYS[1], pack('>I6', now + span) .. ARGV[3], 'PX', span)
  return ARGV[3]
end
local value, expires = value_checked(redis.call('GET', KEYS[1]), now)
return expires > now and sub(value, 7) or ''
