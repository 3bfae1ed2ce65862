-- overrides: reads, replaces or restores the document of overrides, in one step; or lets one process
-- of the fleet do something, such as raising an alert.
--
-- KEYS  1  the version alone, which every decision compares; 2  the document, which begins with it; or
--       1  what is claimed
-- ARGV  1  r to read, w to write, p to replace an older copy, c to claim
--       2  r: the version that is known, w: the version to be replaced, '' for none
--       3  w: the text; p: the document
--       4  the lifetime of the keys (ms)
-- Returns  r: the document, or nil if its version is the known one; w: the new version, or '' if
--          another version was there; c: 1 for the first who claims it, else 0

if ARGV[1] == 'c' then
  if redis.call('GET', KEYS[1]) then return 0 end
  redis.call('SET', KEYS[1], '1', 'PX', ARGV[4])
  return 1
end

if ARGV[1] == 'r' and (redis.call('GET', KEYS[1]) or '') == ARGV[2] then return false end
local there = redis.call('GET', KEYS[2]) or ''

local function version_of(document)
  if #document < 6 then return 0 end
  return (struct.unpack('>I6', document))
end

local function keep(document)
  redis.call('SET', KEYS[2], document, 'PX', ARGV[4])
  redis.call('SET', KEYS[1], string.sub(document, 1, 6), 'PX', ARGV[4])
end

if ARGV[1] == 'r' then
  -- If only one of the two keys is there, the document counts.
  if there ~= '' or redis.call('GET', KEYS[1]) then keep(there) end
  return there
elseif ARGV[1] == 'p' then
  if version_of(ARGV[3]) > version_of(there) then keep(ARGV[3]) end
  return ''
end

if string.sub(there, 1, 6) ~= ARGV[2] then return '' end
-- At least the time, so that a version that a server has lost is never given out again.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local version = struct.pack('>I6', math.max(version_of(there) + 1, now))
keep(version .. ARGV[3])
return version
