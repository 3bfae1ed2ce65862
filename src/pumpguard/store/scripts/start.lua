-- start: what every script begins with.

-- Looked up once: a global is searched for at every use.
local unpack_from, pack, byte, sub = struct.unpack, struct.pack, string.byte, string.sub
local floor, max, min = math.floor, math.max, math.min

local DAY = 86400000  -- ms
local LONGEST = 400 * DAY  -- that any counter may matter
local LONG = 255  -- the length of a segment that stands for itself or more (common.lua)

-- This server's time in milliseconds, where none is stated.
local function time_of(stated)
  if stated > 0 then return stated end
  local time = redis.call('TIME')
  return time[1] * 1000 + floor(time[2] / 1000)
end

-- A value and when it expires; nothing and 0 for what is not one of ours.
local function value_checked(value, now)
  if not value or #value < 6 then return '', 0 end
  local expires = unpack_from('>I6', value)
  if expires > now + LONGEST then return '', 0 end
  return value, expires
end
