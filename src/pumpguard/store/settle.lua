-- What became of messages, told to the subjects that have to know.
--
-- KEYS  of each outcome in turn, one key per group of its plan
-- ARGV  of each outcome in turn, its plan (plan.lua), and: what happened (1: v for verified, r for
--       repeated, f for failed, u for unallocated), the time in ms (6; 0 to let this server's clock
--       decide), how many groups (1), price in micro-dollars (6), when it was sent in ms (6), its age
--       in tenths of a second (2), a hash of the network (2), the number's place (2), the ticket's
--       id (4)
-- Returns  how many took effect

-- By key, because outcomes share subjects: segments, when they expire, how long they matter now.
local values, segments, expiries, ttls = redis.call('MGET', unpack(KEYS)), {}, {}, {}

-- The counters of the outcome at hand, in columns.
local now, outcome, sent_at, kinds, ids, limits, spans, tails, keys

local function stored_of(i) return segments[keys[i]][ids[i]] or '' end

local function keep(i, stored, ttl)
  if not stored then return end
  segments[keys[i]][ids[i]] = stored ~= '' and stored or nil
  ttls[keys[i]] = max(ttls[keys[i]] or 1, ttl)
end

local function read_plan(groups, key)
  kinds, ids, limits, spans, tails, keys = {}, {}, {}, {}, {}, {}
  local i = 0
  for g = key + 1, key + groups do
    local name = KEYS[g]
    if not segments[name] then
      local value, expires = value_checked(values[g], now)
      segments[name], expiries[name] = value_segments(value), expires
    end
    local size = byte(plan, at)
    at = at + 1
    for _ = 1, size do
      i = i + 1
      kinds[i], _, ids[i], limits[i], spans[i], at = unpack_from('>c1BI3I6I6', plan, at)
      tails[i], keys[i] = read_tail(kinds[i]), name
    end
  end
end

local function find(kind)
  for i = 1, #kinds do
    if kinds[i] == kind then return i end
  end
end

-- Takes the ticket. Returns whether it was there.
local function taken(id)
  local t = find('T')
  if not t then return false end
  local stored = stored_of(t)
  if #stored % tails[t].size ~= 0 then return false end
  local rest, at_the_time, paid = tickets_taken(spans[t], stored, now, id, tails[t].size)
  if not rest then return false end
  keep(t, rest, spans[t])
  sent_at, price = at_the_time, paid
  return true
end

-- Takes the ticket, and the refund out of what may be refunded. Returns whether both were there.
local function refundable(id)
  local r = find('R')
  if not taken(id) or not r then return false end
  local state = slices_read(limits[r], spans[r], stored_of(r), now, price, 6)
  if state.wait > 0 then return false end
  keep(r, slices_charge(limits[r], spans[r], state))
  return true
end

-- Tells pulse and conversions; returns what a verification is worth to the strictest of them, and to
-- those that do not mind that many come from one network.
local function learn(age, network)
  local worth, of_clients = 1000, 1000
  for i = 1, #kinds do
    local stored = stored_of(i)
    if kinds[i] == 'P' then
      local state = pulse_read(limits[i], spans[i], stored, now, tails[i])
      if outcome == 'v' then keep(i, pulse_verified(state)) end
    elseif kinds[i] == 'V' and (outcome == 'v' or stored ~= '') then
      local state = conversion_read(limits[i], spans[i], stored, now, tails[i])
      if outcome == 'v' then
        local own = conversion_verified(state, sent_at, age, network, place)
        worth = min(worth, own)
        if not tails[i].networks then of_clients = min(of_clients, own) end
        keep(i, conversion_kept(state))
      elseif state.count > 0 or state.more > 0 then
        conversion_settled(state, sent_at)
        keep(i, conversion_kept(state))
      end
    end
  end
  return worth, of_clients
end

local function trust_told(worth, of_clients)
  for i = 1, #kinds do
    local stored = stored_of(i)
    if kinds[i] == 'E' and stored ~= '' then
      local state = trust_read(limits[i], spans[i], stored, now, tails[i])
      if not state.gone and outcome == 'v' then
        keep(i, trust_earned(state, tails[i].client and of_clients or worth))
      elseif not state.gone then
        keep(i, trust_taken_back(state))
      end
    end
  end
end

local function pay_back(earned)
  for i = 1, #kinds do
    local stored = stored_of(i)
    if kinds[i] == 'C' and (earned > 0 or stored ~= '') then
      local state = credit_read(limits[i], spans[i], stored, now, tails[i])
      keep(i, credit_settled(spans[i], state, earned))
    elseif kinds[i] == 'S' and outcome == 'f' and stored ~= '' then
      local state = slices_read(limits[i], spans[i], stored, now, price, 6)
      keep(i, slices_refund(spans[i], state, sent_at))
    end
  end
end

local key, applied = 0, 0
for o = 1, #ARGV, 2 do
  local groups, age, network, id
  plan, at, known, silent = ARGV[o], 4, false, false
  outcome, now, groups, price, sent_at, age, network, place, id =
    unpack_from('>c1I6BI6I6I2I2I2c4', ARGV[o + 1])
  now = time_of(now)
  read_plan(groups, key)
  key = key + groups
  if outcome == 'u' then
    if taken(id) then applied = applied + 1 end
  elseif outcome ~= 'f' or refundable(id) then
    local worth, of_clients = learn(age, network)
    pay_back(outcome == 'v' and floor(price * worth / 1000) or 0)
    trust_told(worth, of_clients)
    applied = applied + 1
  end
end

for name, ttl in pairs(ttls) do
  local parts = {''}
  value_join_others(parts, 6, segments[name], math.huge)
  value_write(name, parts, expiries[name], now, ttl)
end
return applied
