-- One request, one decision: read all, decide all, charge all or nothing, write bans.
--
-- KEYS  one key per counter
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  1 if a rule has already refused the request, else 0
--       3  a random number in [-1, 1] for ban lengths
--       4… one packed spec per key: kind (1 byte: W D N B), flags (1), limit (4), span in
--          milliseconds (8), then the kind's own tail; for a ban the tail is followed by one
--          byte per key, '1' where a refusal by that key's counter gives a strike
-- Returns  admitted (0 or 1), the time, then for each key: used, wait in milliseconds

local BINDS, ATTEMPTS, FED_ALREADY = 1, 2, 4  -- flags

local READ = {W = window_read, D = distinct_read, N = neighbours_read, B = ban_read}
local CHARGE = {W = window_charge, D = distinct_charge, N = neighbours_charge}
local BAN_TAIL = 28

local function has(flags, flag) return math.floor(flags / flag) % 2 == 1 end

local now = tonumber(ARGV[1])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local refused, chance = ARGV[2] == '1', tonumber(ARGV[3])

local specs, states, writes = {}, {}, {}
local values = redis.call('MGET', unpack(KEYS))

for i = 1, #KEYS do
  local kind, flags, limit, span = struct.unpack('>c1BI4I8', ARGV[i + 3])
  local spec = {
    kind = kind, limit = limit, span = span, tail = string.sub(ARGV[i + 3], 15),
    binds = has(flags, BINDS), attempts = has(flags, ATTEMPTS), fed = has(flags, FED_ALREADY),
  }
  specs[i] = spec
  states[i] = READ[kind](spec, values[i] or '', now)
end

local function answer(admitted)
  for i, write in pairs(writes) do
    redis.call('SET', KEYS[i], write.value, 'PX', math.max(1, math.ceil(write.ttl)))
  end
  local reply = {admitted and 1 or 0, now}
  for _, state in ipairs(states) do
    reply[#reply + 1] = state.used
    reply[#reply + 1] = math.ceil(state.wait)
  end
  return reply
end

-- A standing ban ends it here, and writes nothing: being banned must stay cheap.
for i, spec in ipairs(specs) do
  if spec.kind == 'B' and spec.binds and states[i].wait > 0 then return answer(false) end
end

local function strike(i)
  local value, ttl = ban_strike(specs[i], states[i], chance)
  writes[i] = {value = value, ttl = ttl}
end

local function charge(i)
  local value, ttl = CHARGE[specs[i].kind](specs[i], states[i])
  writes[i] = {value = value, ttl = ttl}
end

-- Attempts count whatever becomes of the request.
for i, spec in ipairs(specs) do
  if spec.kind == 'B' and spec.attempts and states[i].wait == 0 then strike(i) end
end

local refusing, admitted = {}, not refused
for i, spec in ipairs(specs) do
  if spec.binds and states[i].wait > 0 then
    refusing[i] = true
    admitted = false
  end
end

for i, spec in ipairs(specs) do
  if spec.kind ~= 'B' and (spec.attempts or (admitted and states[i].wait == 0)) then charge(i) end
end

local function fed(spec)
  if spec.fed then return true end
  for i in pairs(refusing) do
    if string.sub(spec.tail, BAN_TAIL + i, BAN_TAIL + i) == '1' then return true end
  end
  return false
end

if not admitted then
  for i, spec in ipairs(specs) do
    if spec.kind == 'B' and not spec.attempts and states[i].wait == 0 and fed(spec) then strike(i) end
  end
end

return answer(admitted)
