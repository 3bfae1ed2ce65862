"""What travels between `RedisStore` and its scripts, beside what every decision carries."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import Any, NamedTuple

from pumpguard.counters import (
    Ban,
    Conversion,
    Counter,
    Credit,
    Distinct,
    Known,
    Neighbours,
    Pulse,
    Refunds,
    Spend,
    Spike,
    Tickets,
    Trust,
    Window,
)
from pumpguard.store.base import Open, Question, Redeemed, Redemption, Settlement
from pumpguard.store.tails import FIXED, HASH, six, tenths, ticket_size

NOBODY = bytes(HASH)
"""What is remembered where there is no subject."""

KINDS: dict[type[Counter], bytes] = {
    Window: b"W",
    Distinct: b"D",
    Neighbours: b"N",
    Ban: b"B",
    Spend: b"S",
    Credit: b"C",
    Conversion: b"V",
    Pulse: b"P",
    Spike: b"Z",
    Trust: b"E",
    Known: b"K",
    Tickets: b"T",
    Refunds: b"R",
}
"""How scripts call each kind."""

ROOMY = b"L"
"""A window with room, in slices."""

LOG = b"G"
"""A log, with all the windows that share it."""


class Script(NamedTuple):
    """A script and the hash that servers know it by."""

    sha: str
    body: str


def lua(name: str) -> str:
    """What a Lua file says."""
    return files("pumpguard.store").joinpath(f"{name}.lua").read_text(encoding="utf-8")


def script(*parts: str) -> Script:
    """Parts put together: names of Lua files, or Lua."""
    body = "\n".join(part if "\n" in part else lua(part) for part in ("start", *parts))
    return Script(sha1(body.encode(), usedforsecurity=False).hexdigest(), body)


FILES: dict[type[Counter], str] = {
    Distinct: "kinds/distinct",
    Neighbours: "kinds/neighbours",
    Credit: "kinds/credit",
    Conversion: "kinds/conversion",
    Pulse: "kinds/pulse",
    Trust: "kinds/trust",
    Spike: "kinds/spike",
    Known: "kinds/known",
    Tickets: "kinds/tickets",
}
"""Where kinds are that nothing else is built on."""


@cache
def decide_script(kinds: frozenset[type[Counter]], in_slices: bool) -> Script:
    """The script that knows these kinds: what a script defines, every call of it pays for."""
    parts = ["standing", "request", "value", "kinds/log"]
    if in_slices or Spend in kinds:
        parts.append("kinds/slices")
    if Ban in kinds:
        parts.append("kinds/ban")
    # Only READ and CHARGE lead to the others, so they are closed off: every function that is
    # defined has to search all names that are open for those which it uses.
    parts += [f"do\n{lua(file)}\nend" for kind, file in FILES.items() if kind in kinds]
    return script(*parts, "plan", "decide")


REDEEM = script("request", "value", "kinds/known", "kinds/tickets", "redeem")
SETTLE = script(
    "request", "value", "kinds/slices", "kinds/credit", "kinds/conversion",
    "kinds/pulse", "kinds/trust", "kinds/tickets", "plan", "settle",
)  # fmt: skip


def kind(counter: Counter) -> bytes:
    """How scripts call the kind of this counter."""
    if isinstance(counter, Window) and counter.most > 1:
        return ROOMY
    return KINDS[type(counter)]


def facts(question: Question, keys: Sequence[str]) -> bytes:
    """What a question says to the kinds that count money or outcomes."""
    said = six(question.price) + struct.pack(">I", question.matures_after or 0)
    if not question.ticket:
        return said
    groups, remembered = question.plan.groups, question.plan.remembered
    hashes = [
        bytes.fromhex(keys[groups.index(by)][-2 * HASH :]) if by in groups else NOBODY
        for by in remembered
    ]
    return said + question.ticket + b"".join(hashes)


def redemption_facts(redemption: Redemption, known_id: bytes, tickets_id: bytes) -> bytes:
    """What ``redeem.lua`` has to know."""
    known, waiting = redemption.known, redemption.tickets
    size = bytes([ticket_size(waiting)])
    return known_id + six(known.seconds * 1000) + tickets_id + six(waiting.seconds * 1000) + size


def redeemed(reply: list[Any]) -> Redeemed:
    """What ``redeem.lua`` says."""
    counts, now, *stored = reply
    return Redeemed(bool(counts), now, tuple(_open(each) for each in stored))


def _open(stored: bytes) -> Open:
    hashes = [stored[at : at + HASH] for at in range(FIXED, len(stored), HASH)]
    return Open(
        stored[:4],
        int.from_bytes(stored[4:10]),
        int.from_bytes(stored[10:16]),
        tuple(None if each == NOBODY else each for each in hashes),
    )


def outcome(settlement: Settlement, network: bytes) -> bytes:
    """One outcome, as ``settle.lua`` reads it; ``network`` is a hash of 2 bytes."""
    return b"".join(
        (
            settlement.outcome[:1].encode(),
            six(0 if settlement.at is None else int(settlement.at * 1000)),
            bytes([len(settlement.plan.groups)]),
            six(settlement.price),
            six(settlement.sent_at),
            struct.pack(">H", tenths(settlement.age)),
            network,
            struct.pack(">H", settlement.place),
            settlement.ticket or bytes(4),
        )
    )
