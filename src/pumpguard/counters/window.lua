-- window: at most `limit` hits in any true window of `span` milliseconds.
--
-- Stored: as a log (shared/log.lua), or in slices (shared/slices.lua) if that would be too long. Windows
-- of one rule that count the same share a log, and are one segment of a plan: its limit is the least
-- of theirs, its span the longest. Headroom is added to a limit, up to so many times the limit, and what
-- is reserved as far as it is open to the request (common.lua).

local WINDOW, SLICED = 12, 5  -- bytes in a plan

TAIL[KIND] = function()
  local from, windows = at, byte(plan, at)
  at = at + 1 + (windows > 0 and WINDOW * windows or SLICED)
  return from, max(1, windows)
end

local function read_slices(limit, span, stored, now, from)
  local max_factor, reserved = unpack_from('>BI4', plan, from + 1)
  local held = min(limit * max_factor, limit + headroom) + opened(reserved)
  local state = hits_read(held, span, stored, now, limit * max_factor + reserved)
  if max_factor > 1 or reserved > 0 then state.held, state.headroom = held, headroom end
  return state
end

-- Windows of a log report one by one, so no table is made: returns whether one of them has room, and
-- how many they are. None can be full before the least of their limits is reached.
READ[KIND] = function(least, longest, stored, now, from, first)
  local windows = byte(plan, from)
  if windows == 0 then return read_slices(least, longest, stored, now, from) end
  if #stored < 6 * least and not reports then return true, windows end
  local fits = false
  from = from + 1
  for i = first, first + windows - 1 do
    local binds, max_factor, limit, reserved, span
    binds, max_factor, limit, reserved, span, from = unpack_from('>BBI2I2I6', plan, from)
    local held = max_factor > 1 and min(limit * max_factor, limit + headroom) or limit
    if reserved > 0 then held = held + opened(reserved) end
    local wait = log_wait(held, span, stored, now)
    fits = fits or wait == 0
    if wait > 0 or reports then
      local detail = (max_factor > 1 or reserved > 0) and held or nil
      noted(i, binds == 1, log_used(span, stored, now), wait, detail, headroom)
    end
  end
  return fits, windows
end

DETAIL[KIND] = function(state) return state.held, state.headroom end

-- The state of a log is no table.
CHARGE[KIND] = function(limit, span, state, stored, now)
  if state == true or not state then return log_charge(span, stored, now) end
  return slices_charge(limit, span, state)
end

-- outcomes

-- A message that was not sent takes its hit back; so does one that was verified, where that is told.
TELL[KIND] = function(limit, span, stored, from)
  if stored == '' then return end
  if byte(plan, from) > 0 then return log_give_back(span, stored, sent_at) end
  return slices_give_back(span, read_slices(limit, span, stored, now, from), sent_at)
end
