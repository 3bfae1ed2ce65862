-- orders: what people have ordered, replaced whole and in one step.
--
-- KEYS  1  the version alone, which every decision compares; 2  the document, which begins with it
-- ARGV  1  r to read, w to write, p to put an older copy right
--       2  r: the version that is known, w: the one that must be there, nothing for none
--       3  w: the text; p: the document
--       4  for how long both are kept (ms)
-- Returns  r: the document, or nil if its version is the known one; w: its new version, or nothing

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
  -- Also if only one of the two is there: then the document is right.
  if there ~= '' or redis.call('GET', KEYS[1]) then keep(there) end
  return there
elseif ARGV[1] == 'p' then
  if version_of(ARGV[3]) > version_of(there) then keep(ARGV[3]) end
  return ''
end

if string.sub(there, 1, 6) ~= ARGV[2] then return '' end
-- By the clock, so that what was lost with a server can never come back as something newer.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local version = struct.pack('>I6', math.max(version_of(there) + 1, now))
keep(version .. ARGV[3])
return version
