-- claim: who is the first to say something?
--
-- KEYS  1  what is claimed
-- ARGV  1  for how long (ms)
-- Returns  1 for the first, else 0

if redis.call('GET', KEYS[1]) then return 0 end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
