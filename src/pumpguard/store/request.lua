-- What the kinds want to know about the request or the outcome at hand.

local price = 0  -- micro-dollars
local known = false  -- has the number been verified before? (set by reading `known`)
local owed = 0  -- micro-dollars of the number's own open tickets (set by reading `tickets`)
local silent = false  -- are no verifications arriving at all? (set by reading `pulse`)
local ripe = 0  -- the age in ms at which an unverified send speaks against conversion
local room = 0  -- messages that the subject at hand has earned (set by reading `trust`)
local ticket = ''  -- the ticket to write: its id, and the key hashes that go with it

-- How each kind is read, and how it is charged, by its letter in a plan.
local READ, CHARGE = {}, {}
