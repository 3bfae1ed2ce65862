-- plan: which counters a question or an outcome is about.
--
-- Flags (1); how many groups have bans that bind (1), and how many those are (1); of each such group
-- its number from 1 (1); of each such ban its index (1), its group (1; plus 128 if it is a shadow) and
-- its id (3). Then per group the number of its segments (1), and per segment its kind (1), flags (1),
-- id (3), limit (6), span in ms (6), and for
--   G  (a log) the limit is the least of its windows, the span the longest; how many windows (1), up
--      to how many times their limits (1), of each 1 if it binds (1), limit (2), span in ms (6)
--   L  (a window with room) up to how many times the limit (1)
--   E  (trust) the share in permille (2), whether its subjects are clients (1); the limit is the gain
--   N  distance (2)
--   B  base, cap, memory in seconds (4 each), factor, jitter (doubles), up to how many times the
--      limit (1), 1 if it yields (1), then how many (1) and which (1 each) counters' refusals give it a strike
--   S  what of the limit is reserved for known numbers (6)
--   C  1 if it yields (2), the share of what was verified that makes the line, in permille (2)
--   V  what an unverified send adds, what a verified one takes, where the alarm is (milli-nats, 4
--      each), after how many sends (4), for how long (ms, 6), whether networks tell apart (1), how
--      many places are near (1)
--   P  where the alarm is (milli-nats, 4), after how many verifications (4)
--   Z  the ratio, in permille (4)
--   T  how many tickets are kept (1), the bytes of one (1)
-- and with weights: how many (1), of each the factor (double), how many (1) and which (1 each)
-- counters earn it.

local LOG_WINDOW = 9  -- bytes

local plan, at, place, members, members_seen = '', 0, 0, '', 0

-- What a kind needs beside limit and span; reads on in the plan, and in the members.
local function read_tail(kind)
  local tail
  if kind == 'G' then
    tail, at = at, at + 2 + LOG_WINDOW * byte(plan, at)
    return tail
  elseif kind == 'W' or kind == 'K' or kind == 'R' then
    return
  elseif kind == 'L' then
    tail, at = byte(plan, at), at + 1
    return tail
  elseif kind == 'E' then
    local share, client
    share, client, at = unpack_from('>I2B', plan, at)
    return {share = share, client = client == 1}
  elseif kind == 'S' then
    tail, at = unpack_from('>I6', plan, at)
    return tail
  elseif kind == 'C' or kind == 'Z' then
    tail, at = unpack_from('>I4', plan, at)
    return tail
  elseif kind == 'V' then
    local fail, ok, alarm, minimum, hold, networks, near
    fail, ok, alarm, minimum, hold, networks, near, at =
      unpack_from('>I4I4I4I4I6BB', plan, at)
    return {
      fail = fail, ok = ok, alarm = alarm, minimum = minimum, hold = hold,
      networks = networks == 1, near = near,
    }
  elseif kind == 'P' then
    local alarm, minimum
    alarm, minimum, at = unpack_from('>I4I4', plan, at)
    return {alarm = alarm, minimum = minimum}
  elseif kind == 'T' then
    local keep, size
    keep, size, at = unpack_from('>BB', plan, at)
    return {keep = keep, size = size}
  elseif kind == 'N' then
    local distance
    distance, at = unpack_from('>I2', plan, at)
    return {place = place, distance = distance}
  elseif kind == 'D' then
    members_seen = members_seen + 4
    return sub(members, members_seen - 3, members_seen)
  elseif kind == 'B' then
    local base, cap, memory, factor, jitter, most, yields, feeders
    base, cap, memory, factor, jitter, most, yields, feeders, at =
      unpack_from('>I4I4I4ddBBB', plan, at)
    at = at + feeders
    return {
      base = base, cap = cap, memory = memory, factor = factor, jitter = jitter, most = most,
      yields = yields == 1, fed_by = sub(plan, at - feeders, at - 1),
    }
  end
end
