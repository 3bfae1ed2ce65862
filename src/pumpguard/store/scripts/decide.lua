-- One request, one decision: read all, decide all, charge all or nothing, write bans.
--
-- KEYS  one key per subject; its value holds all counters about that subject (common.lua); the last
--       one holds the version of the overrides (overrides.lua)
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  1 if a rule has already refused the request, 2 to refuse it unless known, else 0
--       3  a random number in [-1, 1] for ban lengths
--       4  the plan, which does not change from request to request (common.lua)
--       5  the last four digits of the number
--       6  4 bytes per distinct count: the hash of this request's member
--       7  one byte per ban that has a strike already, whatever the counters say: its index
--       8  nothing, or the price in micro-dollars (6), the age in ms at which sends mature (4; 0
--          for as late as possible), and the ticket to write, if any (4 and 10 per key hash)
--       9  the version of the overrides by which the question was made, or nothing for none
--       10 only with weights in the plan: the risk score so far, and the one that refuses (doubles)
-- Returns  admitted (0 or 1) plus 2 if the number is known, the time, then index, used, wait (ms)
--          of each ban that stands (banned.lua); if none does, of each counter that is full, or of
--          every one if the plan says so. Kinds with more to say add minus the index (from 1), and
--          two numbers. Only -1 and the time if the overrides have changed: then nothing is decided.

-- What is known of the counters, by their index in the order of the plan.
local reports  -- are all to be reported, not only those that are full?
local used, waits, details, full, refusing, admitted

local function noted(counter, binds, amount, wait, detail, second)
  used[counter], waits[counter] = amount, wait
  if detail then details[counter] = {detail, second} end
  if wait > 0 then
    full = true
    if binds then
      refusing[counter] = true
      admitted = false
    end
  end
end

local function no_detail() end

-- Here come the kinds of counter.

local WEIGHS, PROVED = 2, 4  -- flags of the plan: 1 to report everything, 2 for weights at its end, 4
                             -- for requests that carry proof
local ATTEMPTS = 2  -- flags of a counter: 1 for one that binds, 2 for one that counts attempts
local UNKNOWN_KEPT = 4096  -- bytes of a value up to which foreign segments are kept

reports, used, waits, details, full = byte(ARGV[4]) % 2 == 1, {}, {}, {}, false
refusing, admitted = {}, ARGV[2] ~= '1'
local chance = tonumber(ARGV[3])
plan, last4, members = ARGV[4], tonumber(ARGV[5]), ARGV[6]
if ARGV[8] ~= '' then
  price, matures_after = unpack_from('>I6I4', ARGV[8])
  ticket = sub(ARGV[8], 11)
end

-- 1. Read all.
local groups = #KEYS - 1
local read = plan_read(groups, behind)
local kinds, flags, ids, limits = read.kinds, read.flags, read.ids, read.limits
local spans, tails, counters, again = read.spans, read.tails, read.counters, read.again
local lasts, count = read.lasts, read.count
local segments, states = column(), column()  -- of each segment: what is stored, and what that means
local others, bans = {}, {}  -- of each group what it has besides; segments that are struck
for g = 1, groups do
  others[g] = value_split(values[g], ids, lasts[g - 1] + 1, lasts[g], segments)
end

local earned = {}  -- of each group: the headroom of its subject
for _, turn in ipairs({read.early, read.late}) do
  for i = 1, #turn do
    local s = turn[i]
    local kind, g = kinds[s], read.groups[s]
    headroom = earned[g] or 0
    local state, noted_by_kind = READ[kind](limits[s], spans[s], segments[s], now, tails[s], counters[s])
    states[s], earned[g] = state, headroom
    if not noted_by_kind then
      if state.wait > 0 or reports then
        local detail = DETAIL[kind] or no_detail
        noted(counters[s], flags[s] % 2 == 1, state.used, state.wait, detail(state))
      end
      if STRIKE[kind] then bans[#bans + 1] = s end
    end
  end
  -- Customers have all that is reserved. Half of it is open to known numbers, which anybody may name,
  -- and to strangers for whom their proof and where they ask from speak.
  local vouched = trusted and floor(byte(plan) / PROVED) % 2 == 1
  halves = ((known or vouched) and 1 or 0) + ((known and (familiar or vouched)) and 1 or 0)
end

if hidden then return banned end

-- 2. Decide all.
local ttls = {}  -- of each segment that is written: for how long it can matter

local function strike(s)
  local state = states[s]
  segments[s], ttls[s] = STRIKE[kinds[s]](limits[s], spans[s], state, chance)
  if state.wait > 0 or reports then
    noted(counters[s], flags[s] % 2 == 1, state.used, state.wait)
  end
end

-- Attempts count whatever becomes of the request.
for _, s in ipairs(bans) do
  if flags[s] >= ATTEMPTS and states[s].wait == 0 then strike(s) end
end

if ARGV[2] == '2' and not known then admitted = false end

-- In the order of the plan, so that every store rounds alike.
if floor(byte(plan) / WEIGHS) % 2 == 1 then
  local score, bound = unpack_from('>dd', ARGV[10])
  at = read.at
  for _ = 1, byte(plan, at) do
    local factor, first, earned
    factor, earned, first = unpack_from('>dB', plan, at + 1)
    at = first + earned - 1
    for j = first, at do
      if (waits[byte(plan, j)] or 0) > 0 then
        score = score * factor break
      end
    end
  end
  if score >= bound then admitted = false end
end

-- 3. Charge all or nothing; write bans.
for s = 1, lasts[groups] do
  local charge = CHARGE[kinds[s]]
  -- Several limits on one sum charge it once.
  if charge and not (again[s] and ttls[s - 1]) then
    local state = states[s]
    local due = flags[s] >= ATTEMPTS
    if state == true then
      due = due or admitted
    elseif state then
      due = due or state.begins or (admitted and (state.wait == 0 or state.always))
    end
    if due then
      local stored, ttl = charge(limits[s], spans[s], state, segments[s], now)
      if stored then segments[s], ttls[s] = stored, ttl end
    end
  end
end

if not admitted then
  for _, s in ipairs(bans) do
    if flags[s] < ATTEMPTS and states[s].wait == 0 then
      local struck = string.find(ARGV[7], string.char(counters[s]), 1, true)
      for counter in pairs(refusing) do
        struck = struck or string.find(tails[s].fed_by, string.char(counter), 1, true)
      end
      if struck then strike(s) end
    end
  end
end

for g = 1, groups do
  local first, last, ttl = lasts[g - 1] + 1, lasts[g], 0
  for s = first, last do
    if again[s] and not ttls[s] then
      segments[s], ttls[s] = segments[s - 1], ttls[s - 1]
    end
    if ttls[s] and ttls[s] > ttl then ttl = ttls[s] end
  end
  if ttl > 0 then
    local parts, size = value_joined(ids, segments, first, last)
    if others[g] then value_join_others(parts, size, others[g], UNKNOWN_KEPT) end
    value_write(KEYS[g], parts, expiries[g], now, ttl)
  end
end

-- 4. Answer.
local reply = {(admitted and 1 or 0) + (known and 2 or 0), now}
for i = 0, (full or reports) and count - 1 or -1 do
  if waits[i] then
    local n = #reply
    reply[n + 1], reply[n + 2], reply[n + 3] = i, used[i], math.ceil(waits[i])
    if details[i] then reply[n + 4], reply[n + 5], reply[n + 6] = -i - 1, details[i][1], details[i][2] end
  end
end
return reply
