-- outcome: what became of the message at hand, and where the kinds that have to know register.

local now = 0
local outcome = ''  -- v for verified, r for repeated, f for failed, u for unallocated
local sent_at = 0  -- ms
local age, network = 0, 0  -- of a verification: tenths of a second, and a hash

-- By the letter of each kind, called in this order for all counters of a plan. Each returns what to
-- store instead, and for how long, or nothing to leave it; `price`, `ticket` and `last4` are set.
local TAKE = {}  -- (limit, span, stored, tail), if it was not sent: first, whether the outcome is real
local WEIGH = {}  -- (the same): third, what a verification is worth, in thousandths, and fourth, whether
                  -- that is less where many come from one network
local TELL = {}  -- (the same, worth, worth without minding networks)
