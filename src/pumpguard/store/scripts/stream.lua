-- stream: adds events to a capped stream, or reads them.
--
-- KEYS  1  the stream
-- ARGV  1  a to add, l to read the newest backwards, r to read on from an event
--       2  a: about how many are kept; l: the end of the range, r: its start
--       3  a: the events; l and r: how many at most
-- Returns  the events that were read

if ARGV[1] == 'a' then
  for i = 3, #ARGV do
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], '*', 'e', ARGV[i])
  end
  return {}
elseif ARGV[1] == 'l' then
  return redis.call('XREVRANGE', KEYS[1], ARGV[2], '-', 'COUNT', ARGV[3])
end
return redis.call('XRANGE', KEYS[1], ARGV[2], '+', 'COUNT', ARGV[3])
