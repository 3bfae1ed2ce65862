-- unsent: at most `limit` attempts that sent nothing in any true window of `span` milliseconds.
--
-- Stored: as a log (shared/log.lua). Headroom is added to the limit, up to so many times the limit.

local NONE = {used = 0, wait = 0}

local function unsent_wait(limit, span, stored, now, max_factor)
  return log_wait(min(limit * max_factor, limit + headroom), span, stored, now)
end

TAIL[KIND] = function()
  at = at + 1
  return byte(plan, at - 1)
end

READ[KIND] = function(limit, span, stored, now, max_factor)
  if stored == '' then return NONE end
  local wait = halves < 2 and unsent_wait(limit, span, stored, now, max_factor) or 0
  return {used = log_used(span, stored, now), wait = wait}
end

-- outcomes

-- Who is full gets nothing back.
TAKE[KIND] = function(limit, span, stored, max_factor)
  if unsent_wait(limit, span, stored, now, max_factor) > 0 then return false end
  return nil, log_charge(span, stored, now)
end
