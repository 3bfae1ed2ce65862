-- fleet: each process adds what it saw to the buckets of a minute and an hour, which all share, and
-- the console reads them. Nothing here is asked by a request.
--
-- ARGV 1 says what to do:
-- a, add    KEYS  1 who speaks, by process; 2 the ends of bans that stand; 3 those bans in words;
--                 4 numbers refused in this hour, 5 and 6 in the two before; 7 the minute; 8 the hour
--           ARGV  2 the process; 3 the number of its batch, which is added once; 4 its word;
--                 5, 6 for how long the minute and the hour are kept (s); then lists, each behind its
--                 length: counts (field, amount), bans (id, end in ms, words), numbers refused (hash,
--                 rules with a tab between), numbers verified (hash)
--           Returns 1, or 0 if that batch was added before
-- r, read   KEYS  1 who speaks; then any buckets
--           Returns the time (ms), who speaks (process, word, …), and each bucket (field, amount, …)
-- b, bans   KEYS  1 the ends of bans; 2 those in words
--           Returns id, end (ms), words, …
-- l, lift   KEYS  as for b; ARGV 2 the id. Returns 1, or 0 if it was not there

local FIELDS = 3000  -- of a bucket, beyond which the cheaper half of blocks and networks goes into "other"
local BANS, REFUSED = 5000, 5000  -- that are kept
local PROCESSES, GONE = 200, 3600000  -- beyond so many, those that have been silent for so long (ms) go
local WORD_LIVES, SAMPLE_LIVES, BANS_LIVE = 90000, 3 * 3600, 8 * 86400  -- s

local now = time_of(0)

local function bans_of_now(ends, words)
  local over = redis.call('ZRANGEBYSCORE', ends, '-inf', now)
  for _, id in ipairs(over) do
    redis.call('HDEL', words, id)
    redis.call('ZREM', ends, id)
  end
end

if ARGV[1] == 'r' then
  local reply = {now, redis.call('HGETALL', KEYS[1])}
  for i = 2, #KEYS do reply[i + 1] = redis.call('HGETALL', KEYS[i]) end
  return reply
elseif ARGV[1] == 'l' then
  redis.call('HDEL', KEYS[2], ARGV[2])
  return redis.call('ZREM', KEYS[1], ARGV[2])
elseif ARGV[1] == 'b' then
  bans_of_now(KEYS[1], KEYS[2])
  local reply = {}
  local found = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
  for i = 1, #found, 2 do
    reply[#reply + 1], reply[#reply + 2] = found[i], found[i + 1]
    reply[#reply + 1] = redis.call('HGET', KEYS[2], found[i]) or ''
  end
  return reply
end

local word = redis.call('HGET', KEYS[1], ARGV[2])
if word and tonumber(string.match(word, '^%d+ (%d+)')) >= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[2], now .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
redis.call('EXPIRE', KEYS[1], WORD_LIVES)
if redis.call('HLEN', KEYS[1]) > PROCESSES then
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if tonumber(string.match(all[i + 1], '^%d+')) < now - GONE then redis.call('HDEL', KEYS[1], all[i]) end
  end
end

local from = 7
local function taken()
  from = from + 1
  return ARGV[from - 1]
end

-- Let through, to blocks without refusals: no room in the last third of a minute, and none in hours.
local function quiet(field) return string.find(field, '\t-\t', 1, true) end

local function other(field)
  field = string.gsub(field, '^w\t[^\t]*\t[^\t]*', 'w\tother\t')
  return (string.gsub(field, '^(b\t[^\t]*\t)[^\t]*', '%1other'))
end

-- An attacker chooses blocks and networks. Those that have gathered most dollars keep their names,
-- whenever they began: a flood over many blocks must not hide one that is under attack.
local function make_room(bucket)
  local requests, dollars, ranked, gone, sums = {}, {}, {}, {}, {}
  local all = redis.call('HGETALL', bucket)
  for i = 1, #all, 2 do
    local place, what = string.match(all[i], '^([bw]\t.*\t)([nu])$')
    if place and not string.find(place, '\tother\t', 1, true) then
      (what == 'n' and requests or dollars)[place] = tonumber(all[i + 1])
    end
  end
  for place in pairs(requests) do ranked[#ranked + 1] = dollars[place] or 0 end
  table.sort(ranked)
  local half = math.ceil(#ranked / 2)
  for place, n in pairs(requests) do
    local u = dollars[place] or 0
    if u <= ranked[half] and #gone < 2 * half then
      local name = other(place)
      sums[name .. 'n'], sums[name .. 'u'] = (sums[name .. 'n'] or 0) + n, (sums[name .. 'u'] or 0) + u
      gone[#gone + 1], gone[#gone + 2] = place .. 'n', place .. 'u'
    end
  end
  if #gone > 0 then redis.call('HDEL', bucket, unpack(gone)) end
  for field, amount in pairs(sums) do redis.call('HINCRBY', bucket, field, string.format('%.0f', amount)) end
end

local count, buckets = tonumber(taken()), {KEYS[7], KEYS[8]}
local crowded = redis.call('HLEN', KEYS[7]) + count > FIELDS * 2 / 3
for _ = 1, count do
  local field, amount = taken(), taken()
  if not quiet(field) then
    redis.call('HINCRBY', KEYS[8], field, amount)
  elseif crowded and redis.call('HEXISTS', KEYS[7], field) == 0 then
    field = other(field)
  end
  redis.call('HINCRBY', KEYS[7], field, amount)
end
for _, bucket in ipairs(buckets) do
  if redis.call('HLEN', bucket) > FIELDS then make_room(bucket) end
end

local bans = tonumber(taken())
if bans > 0 then bans_of_now(KEYS[2], KEYS[3]) end
for _ = 1, bans do
  local id, ends, words = taken(), taken(), taken()
  if redis.call('ZSCORE', KEYS[2], id) or redis.call('ZCARD', KEYS[2]) < BANS then
    redis.call('ZADD', KEYS[2], ends, id)
    redis.call('HSET', KEYS[3], id, words)
    redis.call('EXPIRE', KEYS[2], BANS_LIVE)
    redis.call('EXPIRE', KEYS[3], BANS_LIVE)
  end
end

local told = {}
local function counted(rules, what)
  for rule in string.gmatch(rules, '[^\t]+') do
    local field = 'r\t' .. rule .. '\t' .. what
    told[field] = (told[field] or 0) + 1
  end
end

local unknown = REFUSED - redis.call('HLEN', KEYS[4])
for _ = 1, tonumber(taken()) do
  local number, rules = taken(), taken()
  if unknown > 0 and redis.call('HSETNX', KEYS[4], number, rules) == 1 then
    unknown = unknown - 1
    counted(rules, 'sampled')
  end
end
redis.call('EXPIRE', KEYS[4], SAMPLE_LIVES)
for _ = 1, tonumber(taken()) do
  local number = taken()
  for hour = 4, 6 do
    local rules = redis.call('HGET', KEYS[hour], number)
    if rules then
      redis.call('HDEL', KEYS[hour], number)
      counted(rules, 'verified')
      break
    end
  end
end
for field, n in pairs(told) do
  for _, bucket in ipairs(buckets) do redis.call('HINCRBY', bucket, field, n) end
end
redis.call('EXPIRE', KEYS[7], ARGV[5])
redis.call('EXPIRE', KEYS[8], ARGV[6])
return 1
