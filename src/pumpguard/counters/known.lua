-- known: has this number been verified within the last `span` milliseconds?
--
-- Stored: until when it is known (6 bytes), when a verification last counted (6), and from where it was
-- verified, newest first, 12 at most: 4 bytes each of the key hash of an address, a session or the like.
-- Never full; written by the script `redeem` alone.

local FIXED, CLIENT, CLIENTS = 12, 4, 12
local NOBODY = '\0\0\0\0'

-- How many of the key hashes in a ticket, from the first on, are of where its request came from.
TAIL[KIND] = function()
  at = at + 1
  return byte(plan, at - 1)
end

-- Whether one of a ticket's first so many key hashes, which begin there, is among these.
local function known_from(clients, hashes, from, count)
  for place = from, from + 10 * (count - 1), 10 do
    local client = sub(hashes, place, place + CLIENT - 1)
    if #client == CLIENT and client ~= NOBODY then
      for each = 1, #clients, CLIENT do
        if sub(clients, each, each + CLIENT - 1) == client then return true end
      end
    end
  end
  return false
end

READ[KIND] = function(_, _, stored, now, count)
  known = #stored >= FIXED and unpack_from('>I6', stored) > now
  familiar = known and (count == 0 or known_from(sub(stored, FIXED + 1), ticket, 5, count))
  return {used = known and 1 or 0, wait = 0}
end

EARLY[KIND] = true

-- outcomes

-- What to store when the number is verified by a ticket, if there is one; for how long; and whether that
-- counts. Of the ticket's key hashes so many are of where its request came from.
local function known_verified(span, stored, now, newest, count)
  local ends, counted, clients = now + span, 0, ''
  if #stored >= FIXED then
    ends, counted = unpack_from('>I6I6', stored)
    ends, clients = max(ends, now + span), sub(stored, FIXED + 1)
  end
  for place = newest and 17 + 10 * (count - 1) or 0, 17, -10 do
    local client = sub(newest, place, place + CLIENT - 1)
    if client ~= NOBODY then
      for each = #clients - CLIENT + 1, 1, -CLIENT do
        if sub(clients, each, each + CLIENT - 1) == client then
          clients = sub(clients, 1, each - 1) .. sub(clients, each + CLIENT)
        end
      end
      clients = sub(client .. clients, 1, CLIENT * CLIENTS)
    end
  end
  local counts = newest and now - counted >= DAY
  return pack('>I6I6', ends, counts and now or counted) .. clients, max(ends - now, DAY), counts
end
