-- What scripts find in Redis besides Lua 5.1, for those that run in this process: `struct` and
-- `redis.call`.

-- Numbers in binary, big-endian. A function is made for each format once, because taking a format
-- apart costs more than what it says to do.

local byte, char, sub, format, concat = string.byte, string.char, string.sub, string.format, table.concat

-- What a format holds: of each field its letter, its first byte from 0, and how many.
local function fields_of(spec)
  if string.gsub(spec, '[cIiBd]%d*', '') ~= '>' then error('a format with more than this has: ' .. spec) end
  local fields, size = {}, 0
  for letter, digits in string.gmatch(spec, '([cIiBd])(%d*)') do
    local bytes = letter == 'B' and 1 or letter == 'd' and 8 or tonumber(digits)
    fields[#fields + 1] = {letter = letter, from = size, bytes = bytes}
    size = size + bytes
  end
  return fields, size
end

-- The double of IEEE 754 in these bytes.
local function double(a, b, c, d, e, f, g, h)
  local exponent = a % 128 * 16 + math.floor(b / 16)
  local fraction = (((((b % 16 * 256 + c) * 256 + d) * 256 + e) * 256 + f) * 256 + g) * 256 + h
  local size = exponent == 0 and math.ldexp(fraction, -1074)
    or exponent < 2047 and math.ldexp(fraction + 2 ^ 52, exponent - 1075)
    or fraction == 0 and math.huge or 0 / 0
  return a < 128 and size or -size
end

local function reader(spec)
  local fields, size = fields_of(spec)
  local names, values = {}, {}
  for i = 0, size - 1 do names[i + 1] = 'b' .. i end
  for i, field in ipairs(fields) do
    local letter, from, bytes = field.letter, field.from, field.bytes
    if letter == 'c' then
      values[i] = format('sub(s, from + %d, from + %d)', from, from + bytes - 1)
    elseif letter == 'd' then
      values[i] = format('double(%s)', concat(names, ', ', from + 1, from + 8))
    else
      local terms = {}
      for k = 1, bytes do terms[k] = format('b%d * %.0f', from + k - 1, 256 ^ (bytes - k)) end
      values[i] = concat(terms, ' + ')
      if letter == 'i' then
        values[i] = format('%s - (b%d >= 128 and %.0f or 0)', values[i], from, 256 ^ bytes)
      end
    end
  end
  return loadstring(format([[
    local byte, sub, double = ...
    return function(s, from)
      from = from or 1
      local %s = byte(s, from, from + %d)
      if not b%d then error('data string too short') end
      return %s, from + %d
    end]], concat(names, ', '), size - 1, size - 1, concat(values, ', '), size)
  )(byte, sub, double)
end

local function writer(spec)
  local lines, names, bytes = {}, {}, {}
  for i, field in ipairs(fields_of(spec)) do
    if field.letter == 'c' or field.letter == 'd' then error('only numbers are packed here: ' .. spec) end
    local rest = 'v' .. i
    names[i] = rest
    if field.letter == 'i' then rest = format('(%s %% %.0f)', rest, 256 ^ field.bytes) end
    for k = field.from + field.bytes - 1, field.from + 1, -1 do
      lines[#lines + 1] = format('local b%d = %s %% 256 local r%d = (%s - b%d) / 256', k, rest, k, rest, k)
      bytes[k + 1], rest = 'b' .. k, 'r' .. k
    end
    bytes[field.from + 1] = rest
  end
  return loadstring(format('local char = ... return function(%s) %s return char(%s) end',
    concat(names, ', '), concat(lines, ' '), concat(bytes, ', ')))(char)
end

local function made_once(make)
  return setmetatable({}, {__index = function(made, spec)
    made[spec] = make(spec)
    return made[spec]
  end})
end

local readers, writers = made_once(reader), made_once(writer)
struct = {
  unpack = function(spec, s, from) return readers[spec](s, from) end,
  pack = function(spec, ...) return writers[spec](...) end,
}

-- The values of a script's keys come along with its call, and what it writes goes back: it takes effect
-- as a whole or not at all.
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
