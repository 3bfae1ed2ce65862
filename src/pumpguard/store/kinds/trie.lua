-- trie: which block of numbers, of whatever width, gets more than can be explained?
--
-- Stored: the minute of the last ageing (4 bytes), the minutes in which was learned (256ths, 4),
-- how many nodes (1) and blocks (1) follow; per node recent admissions (256ths, 3) and those before
-- (256ths, 4), whether it has children (1), and 12 bytes: its ten children by digit (0 for none),
-- or its two latest numbers (6 each, with a 1 before them, 0 for none); then the blocks (blocks.lua).
-- The plan brings the alarm (milli-nats), for how long a block closes, the widest block, and whether
-- the client solved a challenge. Twin: trie.py

local NODES, NODE, SPLIT_AT, CROWDED, NOTABLE, ROOMY = 144, 20, 3, 32, 256, 96
local UNIT, MINUTE, WEEK, KAPPA, FLOOR, UNIFORM = 256, 60000, 168, 20, 4, 4
local LEARNED_MOST, TRIE_REMEMBERED = 4294967295, 14 * DAY
local CHILDLESS = string.rep('\0', 12)

local function node_at(nodes, i)
  return unpack_from('>I3I4B', nodes, NODE * i + 1)
end

local function node_kid(nodes, i, digit) return byte(nodes, NODE * i + 9 + digit) end

local function node_samples(nodes, i)
  local samples = {}
  for from = NODE * i + 9, NODE * i + 15, 6 do
    local number = number_at(nodes, from)
    if number ~= '' then samples[#samples + 1] = number end
  end
  return samples
end

local function node_packed(recent, learned, kids, samples)
  local rest
  if kids then
    rest = string.char(unpack(kids)) .. '\0\0'
  elseif samples and samples[1] ~= nil then
    rest = number_packed(samples[1])
      .. (samples[2] ~= nil and number_packed(samples[2]) or '\0\0\0\0\0\0')
  else
    rest = CHILDLESS
  end
  return pack('>I3I4B', recent, learned, kids and 1 or 0) .. rest
end

-- What has happened since leaks from what is recent into what is learned.
local function node_older(state, i)
  local recent, learned, inner = node_at(state.nodes, i)
  local left = floor(recent * state.keep)
  learned = min(LEARNED_MOST, floor((learned + recent - left) * state.forget))
  return left, learned, inner == 1
end

-- How much older the nodes are than when they were written.
local function trie_ages(state, minute)
  local minutes = minute - state.minute
  local hours = floor(minute / 60) - floor(state.minute / 60)
  state.keep = power(1 - 60000 / state.shape.span, minutes)
  state.forget = power(1 - 1 / WEEK, hours)
  state.taught = min(LEARNED_MOST, floor((state.taught + UNIT * minutes) * state.forget))
end

-- Rewrites all nodes at their age, without those that are neither recent nor a notable part of what
-- is learned. Once a minute at most, and only for who is admitted or begins an alarm.
local function trie_swept(state)
  local old = state.nodes
  local roomy = #old < NODE * ROOMY
  local fresh, notable, alive = {}, 0, 0

  local function copy(i, recent, learned, inner)
    local place, kids, any = #fresh + 1, {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, false
    fresh[place] = ''
    for digit = 0, inner and 9 or -1 do
      local kid = node_kid(old, i, digit)
      if kid > 0 then
        local r, l, n = node_older(state, kid)
        if r >= alive or l >= notable then
          kids[digit + 1] = copy(kid, r, l, n)
          any = true
        end
      end
    end
    local samples
    if not inner then
      samples = node_samples(old, i)
      for k = math.ceil(recent / UNIT) + 1, 2 do samples[k] = nil end
    end
    fresh[place] = node_packed(recent, learned, any and kids, samples)
    return place - 1
  end

  local recent, learned, inner = node_older(state, 0)
  notable = max(4 * UNIT, floor(learned / (roomy and NOTABLE or NOTABLE / 2)))
  alive = roomy and UNIT or max(2 * UNIT, floor(recent / NOTABLE))
  copy(0, recent, learned, inner)
  state.nodes, state.minute, state.keep, state.forget = table.concat(fresh), state.current, 1, 1
end

-- The nodes that the number passes, from the root, in columns.
local function trie_path(state)
  local nodes, path, recents, learneds = state.nodes, {0}, {}, {}
  local i, depth, inner = 0, 0, false
  recents[1], learneds[1], inner = node_older(state, 0)
  while inner and depth < #digits - FREE_DIGITS do
    local kid = node_kid(nodes, i, byte(digits, depth + 1) - 48)
    if kid == 0 then break end
    i, depth = kid, depth + 1
    path[depth + 1] = i
    recents[depth + 1], learneds[depth + 1], inner = node_older(state, i)
  end
  state.path, state.recents, state.learneds, state.inner = path, recents, learneds, inner
  state.news = true
  local from = NODE * i + 9
  local recalled = inner and 0 or min(2, math.ceil(recents[depth + 1] / UNIT))
  for k = 1, recalled do
    if sub(nodes, from, from + 5) == state.packed then state.news = false end
    from = from + 6
  end
end

-- The deepest node on the path that has more than can be explained: its depth, and what would be.
local function trie_surge(state, minimum, watched)
  local shape, recents, learneds = state.shape, state.recents, state.learneds
  local h, size, found, usually = shape.h, #digits
  if watched then
    minimum, h = max(SPLIT_AT, floor((minimum + 1) / 2)), floor(h / 2)
  end
  local enough = false
  for depth = 2, #recents do
    enough = enough or recents[depth] + UNIT >= minimum * UNIT
  end
  if not enough then return end
  local usual, share = FLOOR * UNIT, 1
  if state.taught > 0 then
    usual = max(usual, learneds[1] * (shape.span / 1000) / 60 / state.taught * UNIT)
  end
  for depth = 1, #recents - 1 do
    local free = size - depth
    local prior = KAPPA * UNIT * (free <= UNIFORM and 0.1 or free == UNIFORM + 1 and 0.5 or 1)
    share = share * (learneds[depth + 1] + prior) / (learneds[depth] + KAPPA * UNIT)
    local count = recents[depth + 1] + UNIT
    if free <= shape.widest and share <= 0.5 and count >= minimum * UNIT then
      local rest = max(0, recents[1] - recents[depth + 1])
      local expected = max(usual, rest / (1 - share)) * share
      local c, mu = count / UNIT, expected / UNIT
      if c > mu and (c * ln(c / mu) - (c - mu)) * 1000 >= h then
        found, usually = depth, min(RECENT_MOST, floor(expected))
      end
    end
  end
  return found, usually
end

-- Sets what the blocks say: which one the number is in, and for how long it refuses.
local function trie_blocked(state)
  local shape, now = state.shape, state.now
  for _, block in ipairs(state.blocks) do
    if starts_with(digits, block.prefix) then
      local stage = block_stage(shape, block, now)
      if stage < 5 then
        state.block, state.most, state.more = block, stage, #block.prefix
        if not known and block_refuses(shape, block, stage) then
          if stage == 3 then
            state.wait = block_lasts(shape, block.level + 1) + shape.hold / 4
          else
            state.wait = block.till + shape.hold / 4 - now
          end
        end
        return
      end
    end
  end
end

local function trie_read(minimum, span, stored, now, shape)
  local minute_now = floor(now / MINUTE)
  shape.span = span
  local state = {
    now = now, wait = 0, more = 0, most = 0, shape = shape, minute = minute_now, keep = 1, forget = 1,
    taught = 0, nodes = string.rep('\0', NODE), blocks = {}, packed = number_packed(digits),
    current = minute_now, written = 0,
  }
  if #stored >= 10 + NODE then
    local minute, taught, count, blocks = unpack_from('>I4I4BB', stored)
    if count > 0 and #stored >= 10 + NODE * count then
      state.nodes, state.taught = sub(stored, 11, 10 + NODE * count), taught
      if blocks > 0 then state.blocks = blocks_unpacked(stored, 11 + NODE * count, blocks) end
      state.minute, state.written = minute, taught
      if minute_now < minute then
        state.current, state.now = minute, minute * MINUTE
      elseif minute_now > minute then
        trie_ages(state, minute_now)
      end
    end
  end
  trie_path(state)
  trie_blocked(state)
  if state.wait == 0 and not known and state.news and (not state.block or state.most == 4) then
    local depth, expected = trie_surge(state, minimum, state.most == 4)
    if depth then
      state.surge, state.expected, state.more, state.most = depth, expected, depth, 1
      state.wait = block_lasts(shape, 0) + shape.hold / 4
    end
  end
  state.used = floor(state.recents[1] / UNIT)
  state.begins = state.wait > 0
  return state
end

-- Splits a node by what is known of its latest numbers, and again while they stay together.
local function trie_grow(state, changed, fresh, at, depth, recent, learned)
  local numbers, next_free = {digits}, #state.nodes / NODE
  for _, each in ipairs(node_samples(state.nodes, at)) do numbers[#numbers + 1] = each end
  while true do
    local together, groups = {}, 0
    for _, each in ipairs(numbers) do
      local digit = byte(each, depth + 1)
      if digit then
        if not together[digit] then
          together[digit] = {}
          groups = groups + 1
        end
        table.insert(together[digit], each)
      end
    end
    if next_free + groups > NODES then
      changed[at] = node_packed(recent, learned, nil, numbers)
      return
    end
    local kids, even = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, #digits - depth - 1 <= UNIFORM
    local each_learned, own, own_at = floor(learned / (even and 10 or groups + 1))
    for digit = 48, 57 do
      local mine = together[digit]
      if mine then
        kids[digit - 47] = next_free
        changed[next_free] = node_packed(UNIT * #mine, each_learned, nil, mine)
        fresh[#fresh + 1] = next_free
        if digit == byte(digits, depth + 1) then own, own_at = mine, next_free end
        next_free = next_free + 1
      end
    end
    changed[at] = node_packed(recent, learned, kids)
    at, depth, recent, learned, numbers = own_at, depth + 1, UNIT * #own, each_learned, own
    if #own < SPLIT_AT or depth >= #digits - FREE_DIGITS then return end
  end
end

-- A child for a digit that was not there, with its part of what nobody else has learned.
local function trie_sprout(state, changed, fresh, at, depth, recent, learned)
  local kids, others, left = {byte(state.nodes, NODE * at + 9, NODE * at + 18)}, 0, learned
  for _, kid in ipairs(kids) do
    if kid > 0 then
      local _, known_of_it = node_at(state.nodes, kid)
      others, left = others + 1, left - known_of_it
    end
  end
  local place, even = #state.nodes / NODE, #digits - depth - 1 <= UNIFORM
  left = floor(max(0, left) / (even and 10 - others or 2))
  kids[byte(digits, depth + 1) - 47] = place
  changed[at] = node_packed(recent, learned, kids)
  changed[place], fresh[1] = node_packed(UNIT, left, nil, {digits}), place
end

-- The nodes with those on the path changed, and fresh ones at the end.
local function trie_written(state, changed, fresh)
  local nodes, parts, from = state.nodes, {}, 1
  for _, i in ipairs(state.path) do
    parts[#parts + 1] = sub(nodes, from, NODE * i)
    parts[#parts + 1] = changed[i]
    from = NODE * i + 1 + #changed[i]
  end
  parts[#parts + 1] = sub(nodes, from)
  for _, i in ipairs(fresh) do parts[#parts + 1] = changed[i] end
  state.nodes = table.concat(parts)
end

-- One admission more.
local function trie_count(state)
  if not state.news then return end
  local path, recents, learneds, changed, fresh = state.path, state.recents, state.learneds, {}, {}
  for k, i in ipairs(path) do
    recents[k] = min(RECENT_MOST, recents[k] + UNIT)
    changed[i] = pack('>I3', recents[k])
  end
  local depth, deepest = #path - 1, #digits - FREE_DIGITS
  local at, recent, learned = path[#path], recents[#path], learneds[#path]
  if state.inner then
    if depth < deepest and #state.nodes < NODE * NODES then
      trie_sprout(state, changed, fresh, at, depth, recent, learned)
    end
  elseif depth < deepest
      and recent >= max(SPLIT_AT * UNIT, floor(recents[1] / CROWDED)) then
    trie_grow(state, changed, fresh, at, depth, recent, learned)
  else
    changed[at] = pack('>I3I4B', recent, learned, 0) .. state.packed
      .. sub(state.nodes, NODE * at + 9, NODE * at + 14)
  end
  trie_written(state, changed, fresh)
end

-- The surge is refused from now on, and explained: nothing above it counts it any more, and nothing
-- learns from it.
local function trie_close(state)
  local depth, changed = state.surge, {}
  local recent = state.recents[depth + 1]
  if recent then  -- else it was swept away with its last minute
    for k, i in ipairs(state.path) do
      local own = state.recents[k]
      if k <= depth then own = max(0, own - recent) end
      changed[i] = pack('>I3', own)
    end
    changed[state.path[depth + 1]] = node_packed(0, state.learneds[depth + 1])
    trie_written(state, changed, {})
  end
  local new = {
    prefix = sub(digits, 1, depth), till = state.now + block_lasts(state.shape, 0),
    level = 0, expected = state.expected, asked = 0, passed = 0, ring = {digits},
  }
  state.blocks = blocks_added(state.shape, state.blocks, new, #digits, state.now)
end

-- One admission more, or one strike.
local function trie_charge(_, _, state)
  if state.wait > 0 and not state.surge then
    state.taught = state.written
    block_struck(state.shape, state.block, digits, state.now)
  else
    if state.current > state.minute then
      trie_swept(state)
      trie_path(state)
    end
  end
  if state.surge then
    trie_close(state)
  elseif state.wait == 0 then
    trie_count(state)
    if state.most == 3 and not state.shape.proved then
      state.block.passed = min(255, state.block.passed + 1)
    end
  end
  return pack('>I4I4BB', state.minute, state.taught, #state.nodes / NODE, #state.blocks)
    .. state.nodes .. blocks_packed(state.blocks), TRIE_REMEMBERED
end

READ.A, CHARGE.A = trie_read, trie_charge
