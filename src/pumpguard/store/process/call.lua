-- What a script finds in Redis besides Lua, for one that runs in this process. The values of its keys
-- come along with the call, and what it writes goes back: it takes effect as a whole or not at all.

local now, values, writes, written

redis = {}
function redis.call(command, key, ...)
  if command == 'GET' then
    return values[key] or false
  elseif command == 'MGET' then
    local found = {key, ...}
    for i = 1, #found do found[i] = values[found[i]] or false end
    return found
  elseif command == 'SET' then  -- with KEEPTTL, or PX and how long
    local value, _, ttl = ...
    values[key] = value
    writes[written + 1], writes[written + 2], writes[written + 3] = key, value, tonumber(ttl)
    written = written + 3
  elseif command == 'TIME' then
    return {math.floor(now / 1000), now % 1000 * 1000}
  else
    error('not a command of this process: ' .. tostring(command))
  end
end

-- Runs a script. After the time (ms) and how many keys come the keys, their values, and the arguments.
-- Returns whether the reply is a list, how many words were written, those, and the reply.
return function(script, at, count, ...)
  local words, keys, arguments = {...}, {}, {}
  now, values, writes, written = at, {}, {}, 0
  for i = 1, count do
    keys[i], values[words[i]] = words[i], words[count + i]
  end
  for i = 2 * count + 1, select('#', ...) do arguments[i - 2 * count] = words[i] end
  KEYS, ARGV = keys, arguments
  local reply = script()
  local listed = type(reply) == 'table'
  if not listed then reply = {reply or false} end
  for i = 1, #reply do
    local each = reply[i]
    writes[written + i] = type(each) == 'number' and each - each % 1 or each  -- as Redis does
  end
  return listed, written, unpack(writes, 1, written + #reply)
end
