-- banned: is somebody banned? Asked before anything else is as much as defined, because the body of
-- a script runs anew for every call, and being banned must stay cheap. If not, all values are read.
-- For what KEYS and ARGV hold and what is returned see decide.lua.

local SHADOW = 128  -- added to the group of a ban that its subject is not to know of

local now, wanted, behind = time_of(tonumber(ARGV[1])), ARGV[4], 4
local keys, values, expiries = {KEYS[#KEYS]}, {}, {}
for each = 1, byte(wanted, 2) do
  keys[each + 1] = KEYS[byte(wanted, behind)]
  behind = behind + 1
end
local found = redis.call('MGET', unpack(keys))
if (found[1] or '') ~= ARGV[9] then return {-1, now} end
for each = 2, #keys do
  local g = byte(wanted, each + 2)
  values[g], expiries[g] = value_checked(found[each], now)
end

local banned, hidden = {0, now}, false
for _ = 1, byte(wanted, 3) do
  local index, g, id
  index, g, id, behind = unpack_from('>BBI3', wanted, behind)
  local value, from = values[g % SHADOW], 7
  while from + 3 <= #value do
    local held, size = unpack_from('>I3B', value, from)
    from = from + 4
    if size == LONG and from < #value then size, from = unpack_from('>I2', value, from) end
    if held == id and from + 6 <= #value then
      local ends, level = unpack_from('>I6B', value, from)
      if ends > now then
        hidden = hidden or g >= SHADOW
        local n = #banned
        banned[n + 1], banned[n + 2], banned[n + 3] = index, level, math.ceil(ends - now)
      end
      break
    end
    from = from + size
  end
end
-- A ban ends it here, and nothing is written. One that its subject is not to know of ends it later,
-- after as much work as a message that is sent.
if #banned > 2 and not hidden then return banned end

local rest, taken = {}, 0
for g = 1, #KEYS - 1 do
  if not values[g] then rest[#rest + 1] = KEYS[g] end
end
if #rest > 0 then found = redis.call('MGET', unpack(rest)) end
for g = 1, #KEYS - 1 do
  if not values[g] then
    taken = taken + 1
    values[g], expiries[g] = value_checked(found[taken], now)
  end
end
