-- One request, one decision: read all, decide all, charge all or nothing, write bans.
--
-- KEYS  one key per subject; its value holds all counters about that subject
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  1 if a rule has already refused the request, else 0
--       3  a random number in [-1, 1] for ban lengths
--       4  the plan, which does not change from request to request (see below)
--       5  the place of the number in its block: its last four digits
--       6  4 bytes per distinct count: the hash of this request's member
--       7  one byte per ban that has a strike already, whatever the counters say: its index
-- Returns  admitted (0 or 1), the time, then index, used, wait (ms) of each ban that stands; if
--          none does, of each counter that is full, or of every one if the plan says so
--
-- A value is the time it expires (6 bytes), then a segment per counter: id (3), length (1), bytes.
-- Segments that this plan does not know belong to another version of it, and are kept.
--
-- A plan is: report everything? (1); how many bans bind (1), of each its index (1), group (1) and
-- id (3); then per group the number of counters (1), and per counter its kind (1: W D N B),
-- flags (1), id (3), limit (4), span in ms (8), and for
--   N  distance (2)
--   B  base, cap, memory in seconds (4 each), factor, jitter (doubles), then how many (1) and
--      which (1 each) counters' refusals give it a strike

local ATTEMPTS = 2  -- flags: 1 for one that binds, 2 for one that counts attempts
local READ = {W = window_read, D = distinct_read, N = neighbours_read, B = ban_read}
local CHARGE = {W = window_charge, D = distinct_charge, N = neighbours_charge}
local LONGEST = 400 * 86400000  -- ms that any counter may matter
local UNKNOWN_KEPT = 512  -- bytes of a value up to which foreign segments are kept

local now, refused, chance = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local plan, at = ARGV[4], 3

local values, expiries, segments = redis.call('MGET', unpack(KEYS)), {}, {}
for g = 1, #KEYS do
  local value = values[g] or ''
  local expires = #value >= 6 and struct.unpack('>I6', value) or 0
  if expires > now + LONGEST then value, expires = '', 0 end  -- not one of ours
  values[g], expiries[g] = value, expires
end

local function segments_of(g)
  local found = segments[g]
  if found then return found end
  local value, from = values[g], 7
  found = {}
  while from + 3 <= #value do
    local id, size = struct.unpack('>I3B', value, from)
    found[id] = string.sub(value, from + 4, from + 3 + size)
    from = from + 4 + size
  end
  segments[g] = found
  return found
end

-- 1. A standing ban ends it here, and writes nothing: being banned must stay cheap.

local banned = {0, now}
for _ = 1, string.byte(plan, 2) do
  local index, g, id
  index, g, id, at = struct.unpack('>BBI3', plan, at)
  local level, wait = ban_standing(segments_of(g + 1)[id], now)
  if wait > 0 then
    banned[#banned + 1] = index
    banned[#banned + 1] = level
    banned[#banned + 1] = math.ceil(wait)
  end
end
if #banned > 2 then return banned end

-- 2. Read all.

local place, members_seen = tonumber(ARGV[5]), 0
local groups = {}
-- Of each counter, in columns: a table per counter would cost more than all the counting.
local kinds, binds, attempts, ids, limits, spans, states = {}, {}, {}, {}, {}, {}, {}

local function read_tail(kind)
  if kind == 'N' then
    local distance
    distance, at = struct.unpack('>I2', plan, at)
    return {place = place, distance = distance}
  elseif kind == 'D' then
    members_seen = members_seen + 4
    return string.sub(ARGV[6], members_seen - 3, members_seen)
  elseif kind == 'B' then
    local base, cap, memory, factor, jitter, feeders
    base, cap, memory, factor, jitter, feeders, at = struct.unpack('>I4I4I4ddB', plan, at)
    at = at + feeders
    return {
      base = base, cap = cap, memory = memory, factor = factor, jitter = jitter,
      fed_by = string.sub(plan, at - feeders, at - 1),
    }
  end
end

for g = 1, #KEYS do
  local kept, first, size = segments_of(g), #kinds + 1, string.byte(plan, at)
  groups[g] = {first = first, last = first + size - 1}
  at = at + 1
  for i = first, first + size - 1 do
    local kind, flags, id, limit, span
    kind, flags, id, limit, span, at = struct.unpack('>c1BI3I4I8', plan, at)
    kinds[i], binds[i], attempts[i] = kind, flags % 2 == 1, flags >= ATTEMPTS
    ids[i], limits[i], spans[i] = id, limit, span
    states[i] = READ[kind](limit, span, kept[id] or '', now, read_tail(kind))
  end
end

local function answer(admitted)
  local reply, all = {admitted and 1 or 0, now}, string.byte(plan, 1) == 1
  for i, state in ipairs(states) do
    if all or state.wait > 0 then
      reply[#reply + 1] = i - 1
      reply[#reply + 1] = state.used
      reply[#reply + 1] = math.ceil(state.wait)
    end
  end
  return reply
end

-- 3. Decide all.

local written = {}  -- what to store and for how long it can matter, by counter

local function strike(i)
  written[i] = {ban_strike(limits[i], spans[i], states[i], chance)}
end

-- Attempts count whatever becomes of the request.
for i, kind in ipairs(kinds) do
  if kind == 'B' and attempts[i] and states[i].wait == 0 then strike(i) end
end

local refusing, admitted = {}, not refused
for i, state in ipairs(states) do
  if binds[i] and state.wait > 0 then
    refusing[i] = true
    admitted = false
  end
end

-- 4. Charge all or nothing; write bans.

for i, kind in ipairs(kinds) do
  if kind ~= 'B' and (attempts[i] or (admitted and states[i].wait == 0)) then
    written[i] = {CHARGE[kind](limits[i], spans[i], states[i])}
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

for g, group in ipairs(groups) do
  local kept, ttl = segments[g], 0
  for i = group.first, group.last do
    local write = written[i]
    if write then
      kept[ids[i]] = write[1]
      if write[2] > ttl then ttl = write[2] end
    end
  end
  if ttl > 0 then
    local parts, size = {''}, 6
    for i = group.first, group.last do
      local id = ids[i]
      local stored = kept[id]
      if stored then
        parts[#parts + 1] = struct.pack('>I3B', id, #stored) .. stored
        size = size + 4 + #stored
        kept[id] = nil
      end
    end
    for id, stored in pairs(kept) do
      if size + 4 + #stored <= UNKNOWN_KEPT then
        parts[#parts + 1] = struct.pack('>I3B', id, #stored) .. stored
        size = size + 4 + #stored
      end
    end
    -- The expiry is moved in steps of a tenth, so that most writes leave it as it is.
    if #values[g] > 0 and expiries[g] >= now + ttl then
      parts[1] = struct.pack('>I6', expiries[g])
      redis.call('SET', KEYS[g], table.concat(parts), 'KEEPTTL')
    else
      ttl = math.ceil(ttl * 1.1)
      parts[1] = struct.pack('>I6', now + ttl)
      redis.call('SET', KEYS[g], table.concat(parts), 'PX', ttl)
    end
  end
end

return answer(admitted)
