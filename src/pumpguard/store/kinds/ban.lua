-- ban: a subject with `limit` strikes in a window of `span` milliseconds is refused until a time.
--
-- Stored: until (6 bytes), level (1 byte), then the strikes as a window stores its hits.
-- The spec brings base, cap and memory in seconds, factor, and jitter.
-- Twin: ban.py

local function ban_read(spec, stored, now)
  local ends, level, strikes = 0, 0, ''
  if #stored >= 7 then
    ends, level = struct.unpack('>I6B', stored)
    strikes = string.sub(stored, 8)
  end
  if level > 0 and now > ends then
    level = math.max(0, level - math.floor((now - ends) / (spec.memory * 1000)))
  end
  local wait = math.max(0, ends - now)
  return {used = level, wait = wait, now = now, ends = ends, level = level, strikes = strikes}
end

-- Adds a strike; at the limit the ban begins and the strikes start anew.
local function ban_strike(spec, state, chance)
  local strikes, ttl = '', 0
  local window = window_read(spec, state.strikes, state.now)
  if window.used + 1 >= spec.limit then
    local seconds = math.min(spec.base * spec.factor ^ state.level, spec.cap)
    seconds = seconds * (1 + spec.jitter * chance)
    state.ends = state.now + math.max(1, math.floor(seconds * 1000))
    state.level = math.min(state.level + 1, 255)
    state.used = state.level
    state.wait = state.ends - state.now
  else
    strikes, ttl = window_charge(spec, window)
  end
  local remembered = math.max(0, state.ends - state.now) + state.level * spec.memory * 1000
  return struct.pack('>I6B', state.ends, state.level) .. strikes, math.max(ttl, remembered)
end
