-- What people write first: the same limits, one key per limit and window, one command at a time.
--
-- KEYS  bans, then counters; ARGV  1 number of bans, then limit and seconds per counter
-- Returns 1 if admitted

local bans = tonumber(ARGV[1])
for i = 1, bans do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 0 end
end

local now = tonumber(redis.call('TIME')[1])
local current = {}
for i = bans + 1, #KEYS do
  local at = 2 * (i - bans)
  local limit, span = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local bucket = math.floor(now / span)
  current[i] = KEYS[i] .. ':' .. bucket
  local count = tonumber(redis.call('GET', current[i]) or 0)
  local before = tonumber(redis.call('GET', KEYS[i] .. ':' .. (bucket - 1)) or 0)
  if count + before * (1 - now % span / span) + 1 > limit then return 0 end
end

for i = bans + 1, #KEYS do
  if redis.call('INCR', current[i]) == 1 then
    redis.call('EXPIRE', current[i], 2 * ARGV[2 * (i - bans) + 1])
  end
end
return 1
