"""What a rule can ask the store to keep: each kind of counter, and what comes back.

A rule never talks to a store. It *declares* counters: what is counted, per what (``by``), and up to
where; the attempt says whose they are. All are asked for in one trip, and each rule is handed its
`Reading`s to judge. A rule makes its counters once, so that what is asked can be prepared once.

A kind is a module and the Lua file beside it (see `pumpguard.counters.base`), and its line in
`KINDS`. Money is in whole micro-dollars (µ$); `micros` makes them of USD.
"""

from __future__ import annotations

from pumpguard.attempt import micros
from pumpguard.counters.ban import Ban
from pumpguard.counters.base import Counter, Reading
from pumpguard.counters.conversion import Conversion
from pumpguard.counters.credit import Credit
from pumpguard.counters.distinct import DISTINCT_UP_TO, Distinct
from pumpguard.counters.known import Known
from pumpguard.counters.neighbours import NEIGHBOURS_REMEMBERED, Neighbours
from pumpguard.counters.pulse import Pulse
from pumpguard.counters.refunds import Refunds
from pumpguard.counters.retyped import Retyped
from pumpguard.counters.spend import Spend
from pumpguard.counters.spike import Spike
from pumpguard.counters.tickets import Tickets
from pumpguard.counters.trust import Trust
from pumpguard.counters.unsent import Unsent
from pumpguard.counters.window import EXACT_UP_TO, SLICES, Counts, Window

__all__ = [
    "DISTINCT_UP_TO", "EXACT_UP_TO", "KINDS", "NEIGHBOURS_REMEMBERED", "SLICES", "Ban",
    "Conversion", "Counter", "Counts", "Credit", "Distinct", "Known", "Neighbours", "Pulse",
    "Reading", "Refunds", "Retyped", "Spend", "Spike", "Tickets", "Trust", "Unsent", "Window",
    "micros",
]  # fmt: skip

KINDS: list[type[Counter]] = [
    Window, Distinct, Neighbours, Ban, Spend, Credit, Conversion, Pulse, Spike, Trust,
    Known, Tickets, Refunds, Unsent, Retyped,
]  # fmt: skip
"""Every kind there is. Its place here gives its letter in plans, which no server keeps."""
