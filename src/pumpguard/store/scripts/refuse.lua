-- Many requests, each of which a process knows to be refused if it is a stranger's: who is none, or is
-- banned, is left for decide.lua; the others are counted as it counts what is refused.
--
-- KEYS  of each request in turn, one key per group of its form; the last one holds the version of the
--       overrides (overrides.lua)
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  a random number in [-1, 1] for ban lengths
--       3  the version of the overrides by which the requests were judged, or nothing for none
--       then by turns a form, and how many requests in a row have it. A form (store/refusals.py) has the
--       number of its groups (1), and of each the number of its segments (1), and those as in a plan
--       (common.lua), with the flags below
-- Returns  the time, then of each request 0 if it has to be decided, else 1 plus the number of bans
--          that stand now, and of each of these its segment in the form, its level and its wait (ms).
--          Only -1 and the time if the overrides have changed: then nothing is counted.

local DECIDES, ATTEMPTS, STRUCK = 1, 2, 4  -- flags: one that must be asked if it has anything to say, one
                                           -- that counts each request, one that counts this refusal

local reports = false
local function noted() end

-- Here come the kinds of counter.

local now, chance = time_of(tonumber(ARGV[1])), tonumber(ARGV[2])
local values = redis.call('MGET', unpack(KEYS))
if (values[#KEYS] or '') ~= ARGV[3] then return {-1, now} end

local reply, place = {now}, 0
local held, expiries, ttls = {}, {}, {}  -- by key: its segments, or false; their time; how long they matter now
local alike = {}  -- by key: what it shares with others of which nothing was known

local kinds, flags, ids, limits, spans, tails, lasts

local function read_form()
  kinds, flags, ids, limits, spans, tails, lasts = {}, {}, {}, {}, {}, {}, {[0] = 0}
  local s = 0
  at = 2
  for g = 1, byte(plan) do
    local last = s + byte(plan, at)
    at = at + 1
    while s < last do
      s = s + 1
      kinds[s], flags[s], ids[s], limits[s], spans[s], at = unpack_from('>c1BI3I6I6', plan, at)
      local read_tail = TAIL[kinds[s]]
      tails[s] = read_tail and read_tail()
    end
    lasts[g] = last
  end
end

local function read_key(g)
  local key = KEYS[place + g]
  local found = held[key]
  if found == nil then
    local value, expires = value_checked(values[place + g], now)
    found = #value > 6 and value_segments(value)
    held[key], expiries[key] = found, expires
  end
  return found
end

-- The states of what has to be read, or nothing if the request has to be decided.
local function read_all(groups)
  local states = {}
  known, owed = false, 0
  for g = 1, groups do
    local found = read_key(g)
    headroom = 0
    for s = lasts[g - 1] + 1, lasts[g] do
      local stored = found and found[ids[s]] or ''
      if stored ~= '' or flags[s] >= ATTEMPTS then
        local state = READ[kinds[s]](limits[s], spans[s], stored, now, tails[s], s)
        if flags[s] % ATTEMPTS == DECIDES and (known or owed > 0 or state.wait > 0) then return end
        states[s] = state
      end
    end
  end
  return states
end

-- Counts a refusal in a group, whose segments these are. Returns for how long that matters; notes the
-- bans that stand now.
local function count_group(g, found, states, standing)
  local ttl = 0
  for s = lasts[g - 1] + 1, lasts[g] do
    local kind, state, stored, matters = kinds[s], states[s], nil, nil
    if STRIKE[kind] and state then
      if flags[s] >= ATTEMPTS and state.wait == 0 then
        stored, matters = STRIKE[kind](limits[s], spans[s], state, chance)
      end
      if state.wait > 0 then
        local n = #standing
        standing[n + 1], standing[n + 2], standing[n + 3] = s - 1, state.used, math.ceil(state.wait)
      end
    elseif flags[s] >= ATTEMPTS then
      stored, matters = CHARGE[kind](limits[s], spans[s], state, found[ids[s]] or '', now)
    end
    if stored then found[ids[s]], ttl = stored, max(ttl, matters) end
  end
  return ttl
end

-- Of the groups of a form: what they hold after one refusal if they held nothing. In a flood most do.
local anew

local function count_anew(g, key, states, standing)
  local one = anew[g]
  if not one then
    local found, bans, parts = {}, {}, {''}
    local ttl = count_group(g, found, states, bans)
    value_join_others(parts, 6, found, math.huge)
    one = {found = found, ttl = ttl, bans = bans, parts = parts}
    anew[g] = one
  end
  for _, each in ipairs(one.bans) do standing[#standing + 1] = each end
  if one.ttl > 0 then held[key], ttls[key], alike[key] = one.found, one.ttl, one end
end

local function count_all(groups, states)
  local standing = {}
  for g = 1, groups do
    local key = KEYS[place + g]
    local found = held[key]
    if not found then
      count_anew(g, key, states, standing)
    else
      if alike[key] then
        local own = {}
        for id, stored in pairs(found) do own[id] = stored end
        found, held[key], alike[key] = own, own, nil
      end
      local ttl = count_group(g, found, states, standing)
      if ttl > 0 then ttls[key] = max(ttls[key] or 0, ttl) end
    end
  end
  return standing
end

for a = 4, #ARGV, 2 do
  plan, anew = ARGV[a], {}
  read_form()
  local groups = byte(plan)
  for _ = 1, tonumber(ARGV[a + 1]) do
    local states = read_all(groups)
    if states then
      local standing, n = count_all(groups, states), #reply
      reply[n + 1] = 1 + #standing / 3
      for i = 1, #standing do reply[n + 1 + i] = standing[i] end
    else
      reply[#reply + 1] = 0
    end
    place = place + groups
  end
end

for key, ttl in pairs(ttls) do
  local one = alike[key]
  local parts = one and one.parts or {''}
  if not one then value_join_others(parts, 6, held[key], math.huge) end
  value_write(key, parts, expiries[key], now, ttl)
end
return reply
