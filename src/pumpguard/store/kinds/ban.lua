-- ban: a subject with `limit` strikes in a window of `span` milliseconds is refused until a time.
--
-- Stored: until (6 bytes), level (1 byte), then the strikes as a window stores its hits.
-- The plan brings base, cap and memory in seconds, factor, jitter, and up to how many times the
-- limit room may lead.
-- Twin: ban.py

-- The level and what is left of a ban that stands, or zeros.
local function ban_standing(stored, now)
  if not stored or #stored < 7 then return 0, 0 end
  local ends, level = struct.unpack('>I6B', stored)
  return level, math.max(0, ends - now)
end

local function ban_read(_, _, stored, now, shape)
  local ends, level, strikes = 0, 0, ''
  if #stored >= 7 then
    ends, level = struct.unpack('>I6B', stored)
    strikes = string.sub(stored, 8)
  end
  if level > 0 and now > ends then
    level = math.max(0, level - math.floor((now - ends) / (shape.memory * 1000)))
  end
  local wait = math.max(0, ends - now)
  return {
    used = level, wait = wait, now = now, ends = ends, level = level, strikes = strikes,
    shape = shape, room = room,
  }
end

-- Adds a strike; at the limit the ban begins and the strikes start anew.
local function ban_strike(limit, span, state, chance)
  local strikes, ttl, shape = '', 0, state.shape
  local highest = limit * shape.most
  limit = math.min(highest, limit + state.room)
  local window = window_read(limit, span, state.strikes, state.now, highest)
  if window.used + 1 >= limit then
    local seconds = math.min(shape.base * shape.factor ^ state.level, shape.cap)
    seconds = seconds * (1 + shape.jitter * chance)
    state.ends = state.now + math.max(1, math.floor(seconds * 1000))
    state.level = math.min(state.level + 1, 255)
    state.used = state.level
    state.wait = state.ends - state.now
  else
    strikes, ttl = window_charge(highest, span, window)
  end
  local remembered = math.max(0, state.ends - state.now) + state.level * shape.memory * 1000
  return struct.pack('>I6B', state.ends, state.level) .. strikes, math.max(ttl, remembered)
end

READ.B = ban_read
