-- claim: lets one process of the fleet do something, such as raising an alert.
--
-- KEYS  1  what is claimed
-- ARGV  1  how long the claim lasts (ms)
-- Returns  1 for the first who claims it, else 0

if redis.call('GET', KEYS[1]) then return 0 end
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
return 1
