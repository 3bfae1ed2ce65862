-- ban: a subject with `limit` strikes in a window of `span` milliseconds is refused until a time.
--
-- Value: until (6 bytes), level (1 byte), then the strikes as a window's value.
-- ARGV tail: base, cap and memory in seconds (4 bytes each), factor and jitter (doubles).
-- Twin: ban.py

local function ban_read(spec, value, now)
  local ends, level, strikes = 0, 0, ''
  if #value >= 7 then
    ends, level = struct.unpack('>I6B', value)
    strikes = string.sub(value, 8)
  end
  local base, cap, memory, factor, jitter = struct.unpack('>I4I4I4dd', spec.tail)
  if level > 0 and now > ends then
    level = math.max(0, level - math.floor((now - ends) / (memory * 1000)))
  end
  return {
    used = level, wait = math.max(0, ends - now), now = now, ends = ends, level = level,
    strikes = window_read(spec, strikes, now),
    base = base, cap = cap, memory = memory, factor = factor, jitter = jitter,
  }
end

-- Adds a strike; at the limit the ban begins and the strikes start anew.
local function ban_strike(spec, state, chance)
  local strikes, ttl
  if state.strikes.used + 1 >= spec.limit then
    local seconds = math.min(state.base * state.factor ^ state.level, state.cap)
    seconds = seconds * (1 + state.jitter * chance)
    state.ends = state.now + math.max(1, math.floor(seconds * 1000))
    state.level = math.min(state.level + 1, 255)
    state.used = state.level
    state.wait = state.ends - state.now
    strikes, ttl = '', 0
  else
    strikes, ttl = window_charge(spec, state.strikes)
  end
  local remembered = math.max(0, state.ends - state.now) + state.level * state.memory * 1000
  return struct.pack('>I6B', state.ends, state.level) .. strikes, math.max(ttl, remembered)
end
