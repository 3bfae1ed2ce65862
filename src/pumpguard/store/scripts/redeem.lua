-- A number was verified: its open tickets are taken away and returned, and it is known from now on.
--
-- KEYS  1  the number's key
-- ARGV  1  the time in milliseconds, or 0 to let this server's clock decide
--       2  the id (3) and span in ms (6) of `known`, those of `tickets`, the bytes of one ticket (1),
--          and how many of its key hashes are of where its request came from (1)
--       3  1 if nothing is to happen unless a ticket is open, else 0
-- Returns  whether the newest ticket counts as verified (0 or 1), the time, then the tickets as
--          they are stored, newest first

local now = time_of(tonumber(ARGV[1]))

local known_id, known_span, id, span, size, clients = unpack_from('>I3I6I3I6BB', ARGV[2])
local value, expires = value_checked(redis.call('GET', KEYS[1]), now)
local segments = value_segments(value)
local stored = segments[id] or ''
if #stored % size ~= 0 then stored = '' end

local open = {}
for from = #stored - size + 1, tickets_from(span, stored, now, size), -size do
  open[#open + 1] = sub(stored, from, from + size - 1)
end
if ARGV[3] == '1' and #open == 0 then return {0, now} end
local kept, ttl, counts = known_verified(known_span, segments[known_id] or '', now, open[1], clients)
segments[known_id], segments[id] = kept, nil
local parts = {''}
value_join_others(parts, 6, segments, math.huge)
value_write(KEYS[1], parts, expires, now, ttl)
return {counts and 1 or 0, now, unpack(open)}
