-- What became of messages, told to the subjects that have to know.
--
-- KEYS  of each outcome in turn, one key per group of its plan
-- ARGV  of each outcome in turn, its plan (common.lua), and: what happened (1: v for verified, r for
--       repeated, f for failed, u for unallocated), the time in ms (6; 0 to let this server's clock
--       decide), how many groups (1), price in micro-dollars (6), when it was sent in ms (6), its age
--       in tenths of a second (2), a hash of the network (2), the number's last four digits (2), the
--       ticket's id (4)
-- Returns  how many took effect

-- The message at hand.
local now = 0
local outcome = ''  -- v for verified, r for repeated, f for failed, u for unallocated
local sent_at = 0  -- ms
local age, network = 0, 0  -- of a verification: tenths of a second, and a hash
local refunded = true  -- of a message that was not sent: is its price given back?

-- Where the kinds that have to know register, by their letter; called in this order for all counters
-- of a plan. Each returns what to store instead, and for how long, or nothing to leave it; `price`,
-- `ticket` and `last4` are set.
local TAKE = {}  -- (limit, span, stored, tail), if it was not sent: first, whether the outcome is real;
                 -- nothing if this kind has no say in that
local WEIGH = {}  -- (the same): third, what a verification is worth, in thousandths, and fourth, whether
                  -- that is less where many come from one network
local TELL = {}  -- (the same, worth, worth without minding networks)

-- Here come the kinds of counter.

-- By key, because outcomes share subjects: segments, when they expire, how long they matter now.
local values, segments, expiries, ttls = redis.call('MGET', unpack(KEYS)), {}, {}, {}

-- The counters of the outcome at hand, in columns.
local kinds, ids, limits, spans, tails, keys

local function read_outcome(groups, key)
  local read = plan_read(groups, 4)
  kinds, ids, limits, spans, tails, keys = read.kinds, read.ids, read.limits, read.spans, read.tails, {}
  for g = 1, groups do
    local name = KEYS[key + g]
    if not segments[name] then
      local value, expires = value_checked(values[key + g], now)
      segments[name], expiries[name] = value_segments(value), expires
    end
    for each = read.lasts[g - 1] + 1, read.lasts[g] do keys[each] = name end
  end
end

local function stored_of(i) return segments[keys[i]][ids[i]] or '' end

local function keep(i, stored, ttl)
  if not stored then return end
  segments[keys[i]][ids[i]] = stored ~= '' and stored or nil
  ttls[keys[i]] = max(ttls[keys[i]] or 1, ttl)
end

-- Whether there is a message that was not sent, or not received: its ticket is open, and taken now; and
-- whoever asked for it may still have something given back.
local function taken()
  local any = false
  for i = 1, #kinds do
    if keys[i] ~= keys[i - 1] then headroom = 0 end
    local take = TAKE[kinds[i]]
    if take then
      local real, stored, ttl = take(limits[i], spans[i], stored_of(i), tails[i])
      keep(i, stored, ttl)
      if real == false then return false end
      any = any or real
    end
  end
  return any
end

-- What a verification is worth to the strictest that weighs it, and to those that do not mind that many
-- come from one network.
local function weighed()
  local worth, of_clients = 1000, 1000
  for i = 1, #kinds do
    local weigh = WEIGH[kinds[i]]
    if weigh then
      local stored, ttl, own, networks = weigh(limits[i], spans[i], stored_of(i), tails[i])
      keep(i, stored, ttl)
      if own then
        worth = min(worth, own)
        if not networks then of_clients = min(of_clients, own) end
      end
    end
  end
  return worth, of_clients
end

local function tell(worth, of_clients)
  for i = 1, #kinds do
    local told = TELL[kinds[i]]
    if told then
      keep(i, told(limits[i], spans[i], stored_of(i), tails[i], worth, of_clients))
    end
  end
end

local key, applied = 0, 0
for o = 1, #ARGV, 2 do
  local groups
  plan, known, no_verifications, refunded = ARGV[o], false, false, true
  outcome, now, groups, price, sent_at, age, network, last4, ticket =
    unpack_from('>c1I6BI6I6I2I2I2c4', ARGV[o + 1])
  now = time_of(now)
  read_outcome(groups, key)
  key = key + groups
  local sent = outcome == 'v' or outcome == 'r'
  if sent or taken() then
    -- One to a number that nobody has was sent and is paid for: nobody else has to know.
    if outcome ~= 'u' then tell(weighed()) end
    applied = applied + (refunded and 1 or 0)
  end
end

for name, ttl in pairs(ttls) do
  local parts = {''}
  value_join_others(parts, 6, segments[name], math.huge)
  value_write(name, parts, expiries[name], now, ttl)
end
return applied
