-- tickets: messages to a number that wait for their outcome, at most `span` milliseconds.
--
-- Stored: per ticket, oldest first, its id (4 bytes), when it was written (6), the price (6), and
-- a key hash (10) per subject that is to be remembered, zeros for none.
-- The question brings a new ticket: its id and the hashes. Never full.

-- Where the first ticket begins that has not expired, and the time: that of the newest, if that is later.
local function tickets_from(span, stored, now, size)
  local at = 1
  if #stored >= size then now = max(now, (unpack_from('>I6', stored, #stored - size + 5))) end
  while at + size - 1 <= #stored and unpack_from('>I6', stored, at + 4) <= now - span do
    at = at + size
  end
  return at, now
end

TAIL[KIND] = function()
  local keep, size
  keep, size, at = unpack_from('>BB', plan, at)
  return {keep = keep, size = size}
end

READ[KIND] = function(_, span, stored, now, shape)
  local size = #stored
  if size % shape.size ~= 0 then stored = '' end
  local from
  from, now = tickets_from(span, stored, now, shape.size)
  for ticket_at = from, #stored - shape.size + 1, shape.size do
    owed = owed + unpack_from('>I6', stored, ticket_at + 10)
  end
  return {
    used = floor((#stored - from + 1) / shape.size), wait = 0, now = now,
    live = from == 1 and stored or sub(stored, from), shape = shape,
  }
end

CHARGE[KIND] = function(_, span, state)
  local size = state.shape.size
  if #ticket ~= size - 12 then return end
  local all = state.live .. sub(ticket, 1, 4)
    .. pack('>I6I6', state.now, price) .. sub(ticket, 5)
  return sub(all, -size * state.shape.keep), span
end

EARLY[KIND] = true

-- outcomes

-- A failed message takes its ticket, if that is still open: what was paid, and when, is in there.
TAKE[KIND] = function(_, span, stored, shape)
  local size = shape.size
  if #stored % size ~= 0 then return false end
  for at = tickets_from(span, stored, now, size), #stored - size + 1, size do
    if sub(stored, at, at + 3) == ticket then
      sent_at, price = unpack_from('>I6I6', stored, at + 4)
      return true, sub(stored, 1, at - 1) .. sub(stored, at + size), span
    end
  end
  return false
end
