-- log: a sliding-window log of hits, of which at most 512 can matter.
--
-- Stored: 6 bytes per hit, its exact time, oldest first. It keeps what is younger than the longest of
-- the windows that read it, at most the last 512.

local EXACT_UP_TO = 512

-- How long a log is full for a limit; only the limit-th of its latest hits tells.
local function log_wait(limit, span, stored, now)
  local size = #stored
  local from = size + 1 - 6 * limit
  if from < 1 then return 0 end
  return max(0, unpack_from('>I6', stored, from) + span - max(now, (unpack_from('>I6', stored, size - 5))))
end

-- How many hits are in the window.
local function log_used(span, stored, now)
  local size, from = #stored, #stored + 1
  if size > 0 then now = max(now, (unpack_from('>I6', stored, size - 5))) end
  while from > 6 and unpack_from('>I6', stored, from - 6) > now - span do from = from - 6 end
  return (size + 1 - from) / 6
end

-- One more hit, without those that no window of `span` or less has to know.
local function log_charge(span, stored, now)
  local size, from = #stored, 1
  if size > 0 then
    now = max(now, (unpack_from('>I6', stored, size - 5)))
    while from < size and unpack_from('>I6', stored, from) <= now - span do from = from + 6 end
    from = max(from, size + 1 - 6 * (EXACT_UP_TO - 1))
    if from > 1 then stored = sub(stored, from) end
  end
  return stored .. pack('>I6', now), span
end

-- outcomes

-- Without one hit of that very time, if it is still there. One that is full may have dropped older hits
-- for younger ones, which must not be forgotten without them: it is left as it is.
local function log_give_back(span, stored, at)
  if #stored >= 6 * EXACT_UP_TO then return end
  for from = #stored - 5, 1, -6 do
    local time = unpack_from('>I6', stored, from)
    if time == at then return sub(stored, 1, from - 1) .. sub(stored, from + 6), span end
    if time < at then return end
  end
end
