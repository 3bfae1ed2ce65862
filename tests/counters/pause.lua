-- pause: at least `span` milliseconds between one hit and the next.
--
-- Stored: when the last one was (6 bytes).

READ[KIND] = function(_, span, stored, now)
  local last = #stored == 6 and unpack_from('>I6', stored) or 0
  return {used = last > 0 and 1 or 0, wait = max(0, last + span - now), now = max(last, now)}
end

CHARGE[KIND] = function(_, span, state) return pack('>I6', state.now), span end

-- outcomes

TELL[KIND] = function(_, span) if outcome == 'f' then return '', span end end
