-- request: the plan at hand, what the kinds of counter are told, and where they register.
--
-- A plan says which counters a question or an outcome is about. It does not change from request to
-- request: flags (1 byte); how many groups have bans that refuse at once (1), and how many those are
-- (1); of each such group its number from 1 (1); of each such ban its index (1), its group (1; plus 128
-- for a shadow) and its id (3). Then per group the number of its segments (1), and per segment its
-- kind (1), flags (1), id (3), limit (6), span in ms (6), and what its kind's TAIL reads. With
-- weights at last: how many (1), of each the factor (double), how many (1) and which (1 each)
-- counters earn it.

local plan, at = '', 0  -- and where it is being read
local members, members_seen = '', 0  -- the hashes of the values that `distinct` counts, 4 bytes each
local last4 = 0  -- the last four digits of the number
local price = 0  -- micro-dollars
local matures_after = 0  -- the age in ms at which an unverified send speaks against conversion
local ticket = ''  -- the ticket to write: its id, and the key hashes that go with it

-- Set by kinds that others depend on.
local known = false  -- has the number been verified before?
local owed = 0  -- micro-dollars of the number's own open tickets
local no_verifications = false  -- do none arrive at all, whoever sends?
local headroom = 0  -- messages that the subject at hand has earned

-- By the letter of each kind (see counters/base.py): how the rest of its segment is read, how it is
-- read, what more it has to say, how it is charged, and how a refused request is counted by it.
local TAIL, READ, DETAIL, CHARGE, STRIKE = {}, {}, {}, {}, {}
