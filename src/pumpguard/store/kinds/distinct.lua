-- distinct: at most `limit` different members in any true window of `span` milliseconds.
--
-- Value: 10 bytes per member, its latest time (6) and its hash (4).
-- ARGV tail: the hash of this request's member (4 bytes).
-- Twin: distinct.py

local function distinct_read(spec, value, now)
  local member = struct.unpack('>I4', spec.tail)
  local times, members = {}, {}
  for at = 1, #value - 9, 10 do
    times[#times + 1], members[#members + 1] = struct.unpack('>I6I4', value, at)
    now = math.max(now, times[#times])
  end
  local others, waits, known = {}, {}, false
  for i, time in ipairs(times) do
    if time > now - spec.span then
      if members[i] == member then
        known = true
      else
        others[#others + 1] = string.sub(value, 10 * i - 9, 10 * i)
        waits[#waits + 1] = time + spec.span - now
      end
    end
  end
  local used, wait = #others + (known and 1 or 0), 0
  if not known and used >= spec.limit then
    table.sort(waits)
    wait = waits[used - spec.limit + 1]
  end
  return {used = used, wait = wait, now = now, others = others, member = member}
end

local function distinct_charge(spec, state)
  local others = state.others
  others[#others + 1] = struct.pack('>I6I4', state.now, state.member)
  return table.concat(others), spec.span
end
