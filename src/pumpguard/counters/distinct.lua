-- distinct: at most `limit` different values in any true window of `span` milliseconds.
--
-- Stored: 10 bytes per value, its latest time (6) and its hash (4).
-- The question brings the hash of this request's value, the member.

TAIL[KIND] = function()
  members_seen = members_seen + 4
  return members_seen - 3
end

READ[KIND] = function(limit, span, stored, now, place)
  local member = sub(members, place, place + 3)
  for at = 1, #stored - 9, 10 do
    now = max(now, (unpack_from('>I6', stored, at)))
  end
  local others, waits, again = {}, {}, false
  for at = 1, #stored - 9, 10 do
    local time = unpack_from('>I6', stored, at)
    if time > now - span then
      if sub(stored, at + 6, at + 9) == member then
        again = true
      else
        others[#others + 1] = sub(stored, at, at + 9)
        waits[#waits + 1] = time + span - now
      end
    end
  end
  local used, wait = #others + (again and 1 or 0), 0
  if not again and used >= limit then
    table.sort(waits)
    wait = waits[used - limit + 1]
  end
  return {used = used, wait = wait, now = now, others = others, member = member}
end

CHARGE[KIND] = function(_, span, state)
  local others = state.others
  others[#others + 1] = pack('>I6', state.now) .. state.member
  return table.concat(others), span
end
