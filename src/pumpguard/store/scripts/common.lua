-- common: how plans and values look, what the kinds of counter are told, and where they register.
--
-- A plan says which counters a question or an outcome is about. It does not change from request to
-- request: flags (1 byte); how many groups have bans that refuse at once (1), and how many those are
-- (1); of each such group its number from 1 (1); of each such ban its index (1), its group (1; plus 128
-- for a shadow) and its id (3). Then per group the number of its segments (1), and per segment its
-- kind (1), flags (1), id (3), limit (6), span in ms (6), and what its kind's TAIL reads. With
-- weights at last: how many (1), of each the factor (double), how many (1) and which (1 each)
-- counters earn it.

local plan, at, members_seen  -- and where it is being read, and how many bytes of members it has
  -- so far
local members  -- the hashes of the values that `distinct` counts, 4 bytes each
local last4, price  -- the last four digits of the number; micro-dollars
local matures_after  -- the age in ms at which an unverified send speaks against conversion
local ticket  -- the ticket to write: its id, and the key hashes that go with it

-- Set by kinds that others depend on.
local known, familiar  -- has the number been verified before? and from where this request comes?
local trusted  -- do those who ask from there verify?
local owed, mistyped  -- micro-dollars of the number's open tickets; of the client's last, if nearby
local no_verifications, unheard  -- do none arrive, whoever sends? where they did before?
local headroom  -- messages that the subject at hand has earned
local ALL_HEADROOM = 2147483648  -- any number of them, granted
local halves  -- of what limits reserve, how many halves are open to this request: 0, 1 or 2

-- How much of what is reserved is open to this request.
local function opened(reserved) return floor(reserved * halves / 2) end

-- By the letter of each kind (see counters/base.py): how the rest of its segment in a plan is read, how it is
-- read, what more it has to say, how it is charged, and how a refused request is counted by it; and
-- which are read before all others, because those depend on them.
local TAIL, READ, DETAIL, CHARGE, STRIKE, EARLY = {}, {}, {}, {}, {}, {}

-- What plans say, by their texts: where a script stays from call to call, those of earlier calls too.
local plans, plans_kept, MOST_PLANS = {}, 0, 200

-- A table with room for the segments of most plans: to grow it would cost more than to fill it.
local function column()
  return {nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil,
    nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil}
end

-- What the plan says of its groups, which begin at `from`, in columns: a table for each segment would
-- cost more than all the counting. A segment has its first of `counters`, from 0 (a log has several), and
-- may be another look at the one before it (`again`); `lasts` has the last one of each group.
local function plan_read(count, from)
  local read, s, counter = plans[plan], 0, 0
  if read then return read end
  if plans_kept == MOST_PLANS then plans, plans_kept = {}, 0 end
  local kinds, flags, ids, limits, spans = column(), column(), column(), column(), column()
  local tails, groups, counters, again = column(), column(), column(), {}
  local lasts, early, late = {[0] = 0}, {}, {}
  at, members_seen = from, 0
  for g = 1, count do
    local last = s + byte(plan, at)
    lasts[g], at = last, at + 1
    while s < last do
      s = s + 1
      local kind, several
      kind, flags[s], ids[s], limits[s], spans[s], at = unpack_from('>c1BI3I6I6', plan, at)
      local read_tail, turn = TAIL[kind], EARLY[kind] and early or late
      if read_tail then tails[s], several = read_tail() end
      if ids[s] == ids[s - 1] and groups[s - 1] == g then again[s] = true end
      kinds[s], groups[s], counters[s], turn[#turn + 1] = kind, g, counter, s
      counter = counter + (several or 1)
    end
  end
  read = {
    kinds = kinds, flags = flags, ids = ids, limits = limits, spans = spans, tails = tails,
    groups = groups, counters = counters, again = again, lasts = lasts, early = early, late = late,
    at = at, count = counter,
  }
  plans[plan], plans_kept = read, plans_kept + 1
  return read
end

-- A value holds all counters about one subject: the time it expires (6 bytes), then a segment per
-- counter: id (3), length (1; 255 if it is that or more, and then 2), bytes. Segments that a plan does
-- not know belong to another version of it, or to another plan, and are kept.

-- The segments from a place on (the first, unless told), by their ids.
local function value_segments(value, from)
  local found = {}
  from = from or 7
  while from + 3 <= #value do
    local id, size = unpack_from('>I3B', value, from)
    from = from + 4
    if size == LONG then
      if #value < from + 1 then break end
      size, from = unpack_from('>I2', value, from)
    end
    found[id] = sub(value, from, from + size - 1)
    from = from + size
  end
  return found
end

local function value_head(id, size)
  return size < LONG and pack('>I3B', id, size) or pack('>I3BI2', id, LONG, size)
end

-- Puts the segments of ids[first..last] into `into`, '' for none. Returns the others by their ids,
-- or nothing if there are none. A value mostly holds some of these, in this order: then no table is
-- made. Counters that share a segment follow each other.
local function value_split(value, ids, first, last, into)
  local from, size, id, length = 7, #value, nil, nil
  if size > 9 then id, length = unpack_from('>I3B', value, 7) end
  for i = first, last do
    if i > first and ids[i] == ids[i - 1] then
      into[i] = into[i - 1]
    elseif id == ids[i] and length < LONG then
      local next_from = from + 4 + length
      into[i] = sub(value, from + 4, next_from - 1)
      from, id = next_from, nil
      if from + 3 <= size then id, length = unpack_from('>I3B', value, from) end
    else
      into[i] = ''
    end
  end
  if not id then return end
  local others = value_segments(value, from)
  for i = first, last do
    local found = others[ids[i]]
    if found then
      into[i] = found
      if ids[i] ~= ids[i + 1] then others[ids[i]] = nil end
    end
  end
  return next(others) and others
end

-- The segments of ids[first..last] with their heads, behind a place for the expiry, and their size.
local function value_joined(ids, segments, first, last)
  local parts, size, n = {''}, 6, 1
  for i = first, last do
    local stored = segments[i]
    if stored ~= '' and (i == last or ids[i] ~= ids[i + 1]) then
      parts[n + 1], parts[n + 2] = value_head(ids[i], #stored), stored
      size, n = size + 4 + #stored, n + 2
    end
  end
  return parts, size
end

-- Adds as many other segments as `room` bytes hold.
local function value_join_others(parts, size, others, room)
  for id, stored in pairs(others) do
    if size + 4 + #stored <= room then
      parts[#parts + 1] = value_head(id, #stored) .. stored
      size = size + 4 + #stored
    end
  end
end

-- The text of a value that is new and matters for `ttl` ms, and for how long it is kept.
local function value_new(parts, now, ttl)
  ttl = math.ceil(ttl * 1.1)
  parts[1] = pack('>I6', now + ttl)
  return table.concat(parts), ttl
end

-- Writes a value that matters for `ttl` ms; the expiry is moved in steps of a tenth, so that most
-- writes leave it as it is.
local function value_write(key, parts, expires, now, ttl)
  if expires >= now + ttl then
    parts[1] = pack('>I6', expires)
    redis.call('SET', key, table.concat(parts), 'KEEPTTL')
  else
    local text, kept = value_new(parts, now, ttl)
    redis.call('SET', key, text, 'PX', kept)
  end
end

-- Each call begins so.
plan, members, last4, price, matures_after, ticket = '', '', 0, 0, 0, ''
known, familiar, trusted, owed, mistyped = false, false, false, 0, 0
no_verifications, unheard, headroom, halves = false, false, 0, 0
