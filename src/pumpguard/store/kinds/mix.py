"""Whether a country's messages go to other ranges than they used to. Twin: ``mix.lua``.

A promotion makes the same ranges busier together; pumping does not, however thinly it is spread:
where `trie` finds the block that a surge comes from, this sees an attack that is spread over so
many blocks that none of them surges. It is the G-test of what is recent against what is usual, with
the shares shrunk to even ones (κ = 10 messages), less half a nat for each group that was asked for,
which is what chance brings. Three digits modulo 32 are no carrier's ranges, but ranges that are
thrown together can only hide a difference, never make one.

An alarm begins with a message for a group that has more than twice its share. While it lasts, a
group may have its share of what passes and no more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Mix
from pumpguard.store.kinds.exact import ln, power

GROUPS, UNIT, KAPPA = 32, 256, 10
LEARNED = 30
"""Messages of a country that have to be known before anything is unusual."""

HOURS = 168
MINUTE = 60_000
REMEMBERED = 14 * 86_400_000
MOST, LEARNED_MOST = 2**24 - 1, 2**32 - 1


class Kept(NamedTuple):
    """The minute of the last ageing, until when the alarm lasts, and per group what is recent and
    what was before (256ths of a message)."""

    minute: int
    till: int
    recent: tuple[int, ...]
    learned: tuple[int, ...]


@dataclass(slots=True)
class MixLook:
    """A country as one request for one number sees it."""

    counter: Mix
    now: int
    own: int
    kept: Kept
    wait: int = 0
    nats: int = 0
    usual_here: int = 0

    @property
    def used(self) -> int:
        """Recent messages."""
        return sum(self.kept.recent) // UNIT

    @property
    def begins(self) -> bool:
        """Whether this request finds that the alarm begins."""
        return self.nats > 0

    @property
    def detail(self) -> tuple[int, int]:
        """How far it is from what is usual (thousandths of a nat), and what is usual here."""
        return self.nats, self.usual_here

    def charged(self) -> tuple[Kept, int]:
        """One message more; or the alarm begins, and what was too much is forgotten."""
        kept, recent = self.kept, list(self.kept.recent)
        if self.begins:
            expected = [usual(kept, i) for i in range(GROUPS)]
            pairs = zip(recent, expected, strict=True)
            recent = [math.floor(mu) if c > 2 * mu else c for c, mu in pairs]
            kept = kept._replace(till=self.now + self.counter.hold * 1000)
        else:
            recent[self.own] = min(MOST, recent[self.own] + UNIT)
        return kept._replace(recent=tuple(recent)), self.now + REMEMBERED


def look(counter: Mix, number: str, known: bool, stored: Kept | None, now: int) -> MixLook:
    """Read a country's mix; ``number`` is without its calling code."""
    nothing = (0,) * GROUPS
    kept = stored or Kept(now // MINUTE, 0, nothing, nothing)
    if now // MINUTE < kept.minute:
        now = kept.minute * MINUTE
    kept = aged(counter, kept, now // MINUTE)
    found = MixLook(counter, now, int(number[:3] or "0") % GROUPS, kept)
    alarmed = kept.till > now
    enough = alarmed or sum(kept.recent) + UNIT >= counter.minimum * UNIT
    if known or not enough or sum(kept.learned) < LEARNED * UNIT:
        return found
    here = usual(kept, found.own)
    if kept.recent[found.own] <= (1 if alarmed else 2) * here:
        return found
    found.usual_here = min(MOST, math.floor(here))
    if alarmed:
        found.wait = kept.till - now
        return found
    nats = math.floor(deviance(kept, found.own) * 1000)
    if nats >= round(1000 * counter.h):
        found.nats, found.wait = nats, counter.hold * 1000
    return found


def aged(counter: Mix, kept: Kept, minute: int) -> Kept:
    """What has happened since leaks from what is recent into what is learned."""
    if minute <= kept.minute:
        return kept
    keep = power(1 - 60_000 / (counter.seconds * 1000), minute - kept.minute)
    forget = power(1 - 1 / HOURS, minute // 60 - kept.minute // 60)
    recent = tuple([math.floor(each * keep) for each in kept.recent])
    pairs = zip(kept.learned, kept.recent, recent, strict=True)
    learned = tuple(
        [min(LEARNED_MOST, math.floor((past + was - left) * forget)) for past, was, left in pairs]
    )
    return Kept(minute, kept.till, recent, learned)


def usual(kept: Kept, group: int) -> float:
    """What is usual for a group, if so many messages are recent as there are (256ths)."""
    prior = KAPPA * UNIT
    total = sum(kept.recent) + UNIT
    return total * ((kept.learned[group] + prior / GROUPS) / (sum(kept.learned) + prior))


def deviance(kept: Kept, own: int) -> float:
    """How far what is recent, with this message, is from what is usual, in nats."""
    found, used = 0.0, 0
    for group, recent in enumerate(kept.recent):
        count = recent + (UNIT if group == own else 0)
        if count:
            c, mu = count / UNIT, usual(kept, group) / UNIT
            found, used = found + c * ln(c / mu), used + 1
    return found - (used - 1) / 2
