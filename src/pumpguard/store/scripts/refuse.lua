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
local held, expiries, ttls = {}, {}, {}  -- by key: its segments, when it expires, how long it matters now
local begun = {}  -- by key: what it holds now, if it held nothing and one refusal was counted

local kinds, flags, ids, limits, spans, tails, lasts  -- of the form at hand

local function read_key(g)
  local key = KEYS[place + g]
  local found = held[key]
  if not found then
    local value, expires, one = values[place + g], nil, begun[key]
    value, expires = value_checked(value, now)
    found = value_segments(value)
    if one then
      for id, stored in pairs(one.found) do found[id] = stored end
      ttls[key], begun[key] = one.ttl, nil
    end
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
      local stored = found[ids[s]] or ''
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
local function count_group(g, found, states, bans)
  local ttl = 0
  for s = lasts[g - 1] + 1, lasts[g] do
    local kind, state, stored, matters = kinds[s], states[s], nil, nil
    if STRIKE[kind] and state then
      if flags[s] >= ATTEMPTS and state.wait == 0 then
        stored, matters = STRIKE[kind](limits[s], spans[s], state, chance)
      end
      if state.wait > 0 then
        local n = #bans
        bans[n + 1], bans[n + 2], bans[n + 3] = s - 1, state.used, math.ceil(state.wait)
      end
    elseif flags[s] >= ATTEMPTS then
      stored, matters = CHARGE[kind](limits[s], spans[s], state, found[ids[s]] or '', now)
    end
    if stored then found[ids[s]], ttl = stored, max(ttl, matters) end
  end
  return ttl
end

local function count_all(groups, states)
  local bans = {}
  for g = 1, groups do
    local key = KEYS[place + g]
    local ttl = count_group(g, held[key], states, bans)
    if ttl > 0 then ttls[key] = max(ttls[key] or 0, ttl) end
  end
  return bans
end

-- Of most in a flood nothing was known: those of one form are counted alike, so that is done once.
local anew

local function all_new(groups)
  for g = place + 1, place + groups do
    if values[g] or held[KEYS[g]] or begun[KEYS[g]] then return false end
  end
  return true
end

local function count_anew(groups)
  local bans, ones, states = {}, {}, read_all(groups)
  for g = 1, groups do
    local key, found, parts = KEYS[place + g], {}, {''}
    local ttl = count_group(g, found, states, bans)
    held[key], expiries[key] = nil, nil
    if ttl > 0 then
      value_join_others(parts, 6, found, math.huge)
      local text, kept = value_new(parts, now, ttl)
      ones[#ones + 1] = {group = g, found = found, ttl = ttl, text = text, kept = kept}
    end
  end
  return {bans = bans, ones = ones}
end

local function said(bans)
  local n = #reply
  reply[n + 1] = 1 + #bans / 3
  for i = 1, #bans do reply[n + 1 + i] = bans[i] end
end

for a = 4, #ARGV, 2 do
  plan, anew = ARGV[a], nil
  local groups = byte(plan)
  local read = plan_read(groups, 2)
  kinds, flags, ids, limits = read.kinds, read.flags, read.ids, read.limits
  spans, tails, lasts = read.spans, read.tails, read.lasts
  for _ = 1, tonumber(ARGV[a + 1]) do
    if all_new(groups) then
      anew = anew or count_anew(groups)
      for _, one in ipairs(anew.ones) do begun[KEYS[place + one.group]] = one end
      said(anew.bans)
    else
      local states = read_all(groups)
      if states then said(count_all(groups, states)) else reply[#reply + 1] = 0 end
    end
    place = place + groups
  end
end

for key, ttl in pairs(ttls) do
  local parts = {''}
  value_join_others(parts, 6, held[key], math.huge)
  value_write(key, parts, expiries[key], now, ttl)
end
for key, one in pairs(begun) do redis.call('SET', key, one.text, 'PX', one.kept) end
return reply
