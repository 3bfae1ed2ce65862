"""Whether a country's numbers lie nearer to each other than they used to. Twin: ``gaps.lua``.

Whoever owns a block draws from it, in whatever order; then some of the country's latest numbers
have a neighbour far nearer than people's numbers have. Of each new number the gap to the nearest of
the last 128 different ones is taken, by count and not by time: a promotion makes numbers come
faster, and not nearer. How often a gap so small is usual, p, was learned from the country's own
gaps, by powers of two; below the smallest that were seen often enough it falls with the width, as
chance has it. Nothing is assumed of the widths of blocks, nor of how people are spread.

The evidence is a CUSUM, in which one message is worth ``ln((1 - ε) + ε / (7 p))``: the log of how
much likelier its gap is if a tenth of the messages come from blocks, whose gaps are small on every
scale alike (ln p is uniform down to -7). So one odd gap is worth 2.8 nats at most: two friends with
adjacent numbers are none, and an alarm at 12 takes five. What raises suspicion teaches nothing
(over half an alarm, and while one lasts).

Measured (30 days of 1,000 users an hour, 60 of 200 and 180 of 20, each from the first message on,
spread by Zipf's law over ranges or over blocks of 10^5 within them; 4.7 million messages): no
alarm, and the highest sum was 10.8 nats.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.counters import Gaps
from pumpguard.store.kinds.exact import ln

KEPT_NUMBERS = 128
DIGITS = 12
"""Numbers are compared as if all were this long."""

OCTAVES = 40
FEWEST = 4
"""Numbers that have to be remembered before a gap says anything."""

ASSUMED = {19: 8, 23: 8, 27: 16, 31: 32}
"""Gaps of a country that nobody knows yet: denser than people are in ranges of 10^5 numbers."""

FADE = 2048
"""When so many gaps are known, all are halved."""

SUPPORT = 8
"""Gaps that have to be as small, before their frequency is believed."""

SHARE, SCALES = 0.1, 7.0
SMALLEST = 0.0009118819655545162  # e ** -SCALES
NEAR = 0.05
"""Who is asked during an alarm: those with a gap as small as one in 20 has."""

DAY, REMEMBERED = 86_400_000, 15
"""Milliseconds; days without a message."""

HIGHEST = 2**32 - 1


class Kept(NamedTuple):
    """The day of the last message, until when the alarm lasts, the sum (thousandths of a nat), gaps
    by powers of two, and the last numbers, oldest first."""

    day: int
    till: int
    total: int
    gaps: tuple[int, ...]
    numbers: tuple[int, ...]


NOTHING = Kept(0, 0, 0, tuple(ASSUMED.get(octave, 0) for octave in range(1, OCTAVES + 1)), ())


@dataclass(slots=True)
class GapsLook:
    """A country as one request for one number sees it."""

    counter: Gaps
    now: int
    kept: Kept
    number: int
    known: bool
    octave: int = 0
    usual: float = 1.0
    total: int = 0
    nats: int = 0
    wait: int = 0

    @property
    def used(self) -> int:
        """How many numbers are remembered."""
        return len(self.kept.numbers)

    @property
    def begins(self) -> bool:
        """Whether this request finds that the alarm begins."""
        return self.nats > 0

    @property
    def detail(self) -> tuple[int, int]:
        """The sum when the alarm begins (thousandths of a nat), and how often such a gap is usual
        (thousandths)."""
        return self.nats, math.floor(1000 * self.usual)

    def charged(self) -> tuple[Kept, int] | None:
        """One number more, and one gap; or the alarm begins, and the sum with it anew."""
        kept, expires = self.kept, (self.kept.day + REMEMBERED) * DAY
        if self.begins:
            return kept._replace(till=self.now + self.counter.hold * 1000, total=0), expires
        if self.known or self.number in kept.numbers:
            return None
        gaps = kept.gaps
        calm = kept.till <= self.now and 2 * self.total < round(1000 * self.counter.h)
        if self.octave and calm:
            gaps = tuple([n + (i == self.octave) for i, n in enumerate(gaps, 1)])
            if sum(gaps) >= FADE:
                gaps = tuple([n // 2 for n in gaps])
        numbers = (*kept.numbers, self.number)[-KEPT_NUMBERS:]
        return Kept(kept.day, kept.till, self.total, gaps, numbers), expires


def look(counter: Gaps, digits: str, known: bool, stored: Kept | None, now: int) -> GapsLook:
    """Read a country's gaps; ``digits`` are the number's without its calling code."""
    number = int(digits.ljust(DIGITS, "0")[:DIGITS])
    kept = stored or NOTHING
    kept = kept._replace(day=max(kept.day, now // DAY))
    found = GapsLook(counter, now, kept, number, known, total=kept.total)
    seen = len(kept.numbers)
    if known or seen < FEWEST:
        return found
    gap = min([abs(each - number) for each in kept.numbers if each != number], default=0)
    found.octave = min(OCTAVES, max(1, math.frexp(gap * seen / KEPT_NUMBERS)[1]))
    found.usual = usual(kept.gaps, found.octave)
    if kept.till > now:
        found.wait = kept.till - now if found.usual <= NEAR else 0
    elif number not in kept.numbers:
        worth = ln(1 - SHARE + SHARE / (SCALES * max(SMALLEST, found.usual)))
        found.total = min(HIGHEST, max(0, kept.total + math.floor(1000 * worth)))
        if found.total >= round(1000 * counter.h):
            found.nats, found.wait = found.total, counter.hold * 1000
    return found


def usual(gaps: tuple[int, ...], octave: int) -> float:
    """The share of gaps that are as small."""
    as_small = 0
    for reached, n in enumerate(gaps, 1):
        as_small += n
        if reached >= octave and as_small >= SUPPORT:
            return as_small / sum(gaps) / 2.0 ** (reached - octave)
    return as_small / sum(gaps) / 2.0 ** (OCTAVES - octave)
