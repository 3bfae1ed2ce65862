-- One request, one decision: read all, decide all, charge all or nothing, write bans.
--
-- KEYS  one key per subject; its value holds all counters about that subject (value.lua); the last
--       one holds the version of the orders (orders.lua)
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  1 if a rule has already refused the request, 2 to refuse it unless known, else 0
--       3  a random number in [-1, 1] for ban lengths
--       4  the plan, which does not change from request to request (plan.lua)
--       5  the place of the number in its block: its last four digits
--       6  4 bytes per distinct count: the hash of this request's member
--       7  one byte per ban that has a strike already, whatever the counters say: its index
--       8  nothing, or the price in micro-dollars (6), the age in ms at which sends mature (4; 0
--          for as late as possible), and the ticket to write, if any (4 and 10 per key hash)
--       9  nothing, or the number's digits after its calling code
--       10 the version of the orders by which the question was made, or nothing for none
--       11 only with weights in the plan: the risk score so far, and the one that refuses (doubles)
-- Returns  admitted (0 or 1) plus 2 if the number is known, the time, then index, used, wait (ms)
--          of each ban that stands; if none does, of each counter that is full, or of every one if
--          the plan says so. Kinds with more to say add minus the index (from 1), and two numbers.
--          Only -1 and the time if there are other orders: then nothing is decided.

local WEIGHS = 2  -- flags of the plan: 1 to report everything, 2 for weights at its end
local SHADOW = 128  -- added to the group of a ban that its subject is not to know of
local ATTEMPTS = 2  -- flags of a counter: 1 for one that binds, 2 for one that counts attempts
local UNKNOWN_KEPT = 4096  -- bytes of a value up to which foreign segments are kept

local now, refused, chance = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

plan, at, place, members = ARGV[4], 3, tonumber(ARGV[5]), ARGV[6]
if ARGV[8] ~= '' then
  price, ripe = struct.unpack('>I6I4', ARGV[8])
  ticket = string.sub(ARGV[8], 11)
end

if ARGV[9] ~= '' then digits = ARGV[9] end

local values, expiries, groups = redis.call('MGET', unpack(KEYS)), {}, #KEYS - 1
if (values[#KEYS] or '') ~= ARGV[10] then return {-1, now} end
for g = 1, groups do values[g], expiries[g] = value_checked(values[g], now) end

-- 1. A standing ban ends it here, and writes nothing: being banned must stay cheap. One that its
--    subject is not to know of ends it after as much work as a message that is sent.

local banned, hidden = {0, now}, false
for _ = 1, string.byte(plan, 2) do
  local index, g, id
  index, g, id, at = struct.unpack('>BBI3', plan, at)
  local level, wait = ban_standing(value_find(values[g % SHADOW + 1], id), now)
  if wait > 0 then
    hidden = hidden or g >= SHADOW
    banned[#banned + 1] = index
    banned[#banned + 1] = level
    banned[#banned + 1] = math.ceil(wait)
  end
end
if #banned > 2 and not hidden then return banned end

-- 2. Read all.

-- Of each counter, in columns: a table per counter would cost more than all the counting.
local kinds, binds, attempts, ids, limits, spans, states = {}, {}, {}, {}, {}, {}, {}
local tails, segments = {}, {}
local lasts, others = {[0] = 0}, {}  -- of each group: its last counter, and segments it has besides

for g = 1, groups do
  local first, last = lasts[g - 1] + 1, lasts[g - 1] + string.byte(plan, at)
  lasts[g], at, room = last, at + 1, 0
  for i = first, last do
    local kind, flags
    kind, flags, ids[i], limits[i], spans[i], at = struct.unpack('>c1BI3I6I6', plan, at)
    kinds[i], binds[i], attempts[i] = kind, flags % 2 == 1, flags >= ATTEMPTS
    tails[i] = read_tail(kind)
  end
  others[g] = value_split(values[g], ids, first, last, segments)
  for i = first, last do
    states[i] = READ[kinds[i]](limits[i], spans[i], segments[i], now, tails[i])
  end
end

if hidden then return banned end

local function answer(admitted)
  local reply, all = {(admitted and 1 or 0) + (known and 2 or 0), now}, string.byte(plan, 1) % 2 == 1
  for i, state in ipairs(states) do
    if all or state.wait > 0 then
      reply[#reply + 1] = i - 1
      reply[#reply + 1] = state.used
      reply[#reply + 1] = math.ceil(state.wait)
      if state.more then
        reply[#reply + 1] = -i
        reply[#reply + 1] = state.more
        reply[#reply + 1] = state.most
      end
    end
  end
  return reply
end

-- 3. Decide all.

local ttls = {}  -- of each counter that is written: for how long it can matter

local function strike(i)
  segments[i], ttls[i] = ban_strike(limits[i], spans[i], states[i], chance)
end

-- Attempts count whatever becomes of the request.
for i, kind in ipairs(kinds) do
  if kind == 'B' and attempts[i] and states[i].wait == 0 then strike(i) end
end

if ARGV[2] == '2' and not known then refused = true end
local refusing, admitted = {}, not refused
for i, state in ipairs(states) do
  if binds[i] and state.wait > 0 then
    refusing[i] = true
    admitted = false
  end
end

-- In the order of the plan, so that every store rounds alike.
if string.byte(plan, 1) >= WEIGHS then
  local score, bound = struct.unpack('>dd', ARGV[11])
  for _ = 1, string.byte(plan, at) do
    local factor, first, earned
    factor, earned, first = struct.unpack('>dB', plan, at + 1)
    at = first + earned - 1
    for j = first, at do
      if states[string.byte(plan, j) + 1].wait > 0 then
        score = score * factor
        break
      end
    end
  end
  if score >= bound then admitted = false end
end

-- 4. Charge all or nothing; write bans.

for i, kind in ipairs(kinds) do
  local state, charge = states[i], CHARGE[kind]
  if charge and (attempts[i] or state.begins or (admitted and (state.wait == 0 or state.always))) then
    local stored, ttl = charge(limits[i], spans[i], state)
    if stored then segments[i], ttls[i] = stored, ttl end
  end
end

if not admitted then
  for i, kind in ipairs(kinds) do
    if kind == 'B' and not attempts[i] and states[i].wait == 0 then
      local struck = string.find(ARGV[7], string.char(i - 1), 1, true)
      for j in pairs(refusing) do
        struck = struck or string.find(states[i].shape.fed_by, string.char(j - 1), 1, true)
      end
      if struck then strike(i) end
    end
  end
end

for g = 1, groups do
  local first, last, ttl = lasts[g - 1] + 1, lasts[g], 0
  for i = first, last do
    if not ttls[i] and i > first and ids[i] == ids[i - 1] then  -- one sum, with several limits
      segments[i], ttls[i] = segments[i - 1], ttls[i - 1]
    end
    if ttls[i] and ttls[i] > ttl then ttl = ttls[i] end
  end
  if ttl > 0 then
    local parts, size = value_joined(ids, segments, first, last)
    if others[g] then value_join_others(parts, size, others[g], UNKNOWN_KEPT) end
    value_write(KEYS[g], parts, expiries[g], now, ttl)
  end
end

return answer(admitted)
