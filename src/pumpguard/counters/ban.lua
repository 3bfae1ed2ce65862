-- ban: a subject with `limit` strikes in a window of `span` milliseconds is refused until a time.
--
-- Stored: until (6 bytes), the level with which it ended (1 byte), then the strikes as a window stores
-- its hits. Before anything else is read, the script `banned` looks for those that stand.

TAIL[KIND] = function()
  local base, cap, memory, factor, jitter, max_factor, yields, except_known, feeders
  base, cap, memory, factor, jitter, max_factor, yields, except_known, feeders, at =
    unpack_from('>I4I4I4ddBBBB', plan, at)
  at = at + feeders
  return {
    base = base, cap = cap, memory = memory, factor = factor, jitter = jitter,
    max_factor = max_factor, yields = yields == 1, except_known = except_known,
    fed_by = sub(plan, at - feeders, at - 1),
  }
end

local function ban_wait(state)
  local shape = state.shape
  local earned = state.headroom > 0 and state.headroom < ALL_HEADROOM
  if (shape.yields and earned) or (shape.except_known > 0 and halves >= shape.except_known) then return 0 end
  return max(0, state.ends - state.now)
end

READ[KIND] = function(_, _, stored, now, shape)
  local ends, begun, strikes = 0, 0, ''
  if #stored >= 7 then
    ends, begun = unpack_from('>I6B', stored)
    strikes = sub(stored, 8)
  end
  local level = begun
  if level > 0 and now > ends then
    level = max(0, level - floor((now - ends) / (shape.memory * 1000)))
  end
  local state = {
    used = level, begun = begun, now = now, ends = ends, strikes = strikes, shape = shape,
    headroom = headroom,
  }
  state.wait = ban_wait(state)
  return state
end

-- Whether one more strike is enough, else what to keep of them and for how long.
local function ban_counted(limit, span, state)
  local highest, strikes = limit * state.shape.max_factor, state.strikes
  local before = min(highest, limit + state.headroom) - 1
  if highest > EXACT_UP_TO then
    local window = hits_read(before, span, strikes, state.now, highest)
    if window.used >= before then return true end
    return false, slices_charge(limit, span, window)
  end
  if before == 0 or log_wait(before, span, strikes, state.now) > 0 then return true end
  return false, log_charge(span, strikes, state.now)
end

-- Adds a strike; at the limit the ban begins and the strikes start anew.
STRIKE[KIND] = function(limit, span, state, chance)
  local shape = state.shape
  local begins, strikes, ttl = ban_counted(limit, span, state)
  if begins then
    local seconds = min(shape.base * shape.factor ^ state.used, shape.cap)
    seconds = seconds * (1 + shape.jitter * chance)
    state.ends = state.now + max(1, floor(seconds * 1000))
    state.used = min(state.used + 1, 255)
    state.begun = state.used
    state.wait = ban_wait(state)
  end
  local remembered = max(0, state.ends - state.now) + state.used * shape.memory * 1000
  return pack('>I6B', state.ends, state.begun) .. (strikes or ''), max(ttl or 0, remembered)
end
