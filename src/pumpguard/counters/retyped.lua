-- retyped: what this client owes for its last message, if that went to the same block of numbers.
--
-- Stored: a hash of the block (4 bytes), when the message went out (6), its price (6), or 0 once a
-- second number has had what the first could have. Never full.

TAIL[KIND] = function()
  members_seen = members_seen + 4
  return members_seen - 3
end

READ[KIND] = function(_, span, stored, now, place)
  local block, used, again = sub(members, place, place + 3), 0, false
  if #stored == 16 then
    local sent, cost = unpack_from('>I6I6', stored, 5)
    now = max(now, sent)
    again = sub(stored, 1, 4) == block and now < sent + span
    if again then used = cost end
  end
  mistyped = used
  return {used = used, wait = 0, now = now, block = block, again = again}
end

CHARGE[KIND] = function(_, span, state)
  return state.block .. pack('>I6I6', state.now, state.again and 0 or price), span
end

EARLY[KIND] = true
