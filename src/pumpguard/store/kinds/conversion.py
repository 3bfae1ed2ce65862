"""Whether messages get verified: a CUSUM over matured sends. Twin: ``conversion.lua``.

A send and its verification take effect together, when the slice of time in which it was sent has
matured. Were each verification scored when it arrives, a busy subject's sum would be pressed to 0
by the quick ones, and then the failures of the same minute, that all mature at once, would raise an
alarm where half of everything converts.

What a verification is worth (invented codes and farms verify too):

- a fifth if it came within 3 seconds. People take 13.5 s in the median, bots 1 to 2 s.
- a fifth if the last 6 to 8 took about the same time (mean deviation below a tenth of the mean);
- divided by 1 + how many of the last 8 came from the same network, at most by 4, unless the
  subject itself is one network, session, account or device. A quarter is about neutral: a lecture
  hall that verifies behind one address proves little for its country, and nothing against it;
- a quarter if one of the last 8 numbers is within 10 of this one (blocks of 1,000: next to it).

One that is worth ``w`` takes ``w × ln(p0 / p1) - (1 - w) × ln((1 - p1) / (1 - p0))`` from the sum.
Below w = 0.22 that is negative: it speaks against its subject, nearly like a code that never came.

Measured with the defaults (p0 = 0.5, p1 = 0.05, h = 12.8): 20 matured sends without a verification
are an alarm. Of 12,000 healthy subjects at the worst rate that is still called healthy (50 %
verified, each send in a slice of its own) 1.7 % had a false alarm within 20,000 sends, and 1.7 to
1.9 % where chance makes numbers neighbours. At h = 12 it was 3.3 % (0.3 % at 10 sends per slice).

Sends that matured during an outage are dropped when the subject is next asked about. If nobody asks
before the outage is over, they count as failures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from pumpguard.attempt import PREFIX
from pumpguard.counters import Conversion
from pumpguard.store.base import DAY

SLICES = 12
RING = 8
CROWD = 3
COUNTED_UP_TO = 10_000
HIGHEST = 2**32 - 1
REMEMBERED = 2 * DAY * 1000
LARGEST = 65_535
OF_ONE_CLIENT = frozenset({"network", "site", "session", "account", "device"})


class Steps(NamedTuple):
    """What an unverified send adds, a verified one takes, and where the alarm is: milli-nats."""

    fail: int
    ok: int
    alarm: int


@cache
def steps(counter: Conversion) -> Steps:
    """The steps of Wald's test of p0 against p1."""
    return Steps(
        round(1000 * math.log((1 - counter.p1) / (1 - counter.p0))),
        round(1000 * math.log(counter.p0 / counter.p1)),
        round(1000 * counter.h),
    )


def tells_networks_apart(counter: Conversion) -> bool:
    """Whether many verifications from one network are remarkable for such a subject."""
    return OF_ONE_CLIENT.isdisjoint(counter.by.split("+"))


@cache
def near(counter: Conversion) -> int:
    """Two places this far apart are not near each other any more. In narrow blocks everybody is
    near somebody: there it takes the next number, and in blocks of 100 nothing is remarkable."""
    parts = counter.by.split("+")
    digits = [int(by.removeprefix(PREFIX)) for by in parts if by.startswith(PREFIX)]
    smallest = min(digits, default=4)
    return 11 if smallest > 3 else 2 if smallest == 3 else 0


@dataclass(slots=True)
class Slice:
    """Sends of one slice of time: unverified, verified, and what the latter take."""

    open: int = 0
    done: int = 0
    taken: int = 0


class Verification(NamedTuple):
    """Age in tenths of a second, hash of the network (0 for unknown), last four digits."""

    age: int
    network: int
    place: int


@dataclass(slots=True)
class Kept:
    """What is stored; slices and verifications newest first."""

    sum: int = 0
    matured: int = 0
    verified: int = 0
    ends: int = 0
    index: int = 0
    slices: list[Slice] = field(default_factory=list)
    ring: list[Verification] = field(default_factory=list)


@dataclass(slots=True)
class ConversionLook:
    """A subject's conversion as one request, or one outcome, sees it."""

    counter: Conversion
    now: int
    silent: bool
    state: Kept
    begins: bool

    @property
    def used(self) -> int:
        """The sum in milli-nats."""
        return self.state.sum

    @property
    def detail(self) -> tuple[int, int]:
        """Matured and verified sends."""
        return self.state.matured, self.state.verified

    @property
    def wait(self) -> int:
        """What is left of the alarm."""
        return 0 if self.silent else max(0, self.state.ends - self.now)

    def charged(self) -> tuple[Kept, int]:
        """One more send that waits; none when this request finds that an alarm began."""
        if not self.wait:
            slices = self.state.slices
            if not slices:
                slices.append(Slice())
            slices[0].open = min(LARGEST, slices[0].open + 1)
        return self._kept()

    def taken_back(self, sent_at: int) -> tuple[Kept, int] | None:
        """As if the send had never been."""
        if not self.state.slices and not self.state.matured:
            return None
        self._settle(sent_at, None)
        return self._kept()

    def verified(self, sent_at: int, verification: Verification) -> tuple[Kept, int, int]:
        """The send was verified; also returns what that is worth, in thousandths."""
        worth = self._worth(verification)
        fail, ok, _ = steps(self.counter)
        self._settle(sent_at, (worth * ok - (1000 - worth) * fail) // 1000)
        self.state.ring = [verification, *self.state.ring][:RING]
        return *self._kept(), worth

    def _kept(self) -> tuple[Kept, int]:
        return self.state, self.now + max(REMEMBERED, self.state.ends - self.now)

    def _settle(self, sent_at: int, takes: int | None) -> None:
        state = self.state
        back = max(0, state.index - sent_at // width(self.counter))
        if back < len(state.slices) and state.slices[back].open:
            found = state.slices[back]
            found.open -= 1
            if takes is not None:
                found.done = min(LARGEST, found.done + 1)
                found.taken = max(-(2**31), min(2**31 - 1, found.taken + takes))
        elif not self.silent:  # it has matured already, as a failure
            state.sum = min(HIGHEST, max(0, state.sum - steps(self.counter).fail - (takes or 0)))
            if takes is None:
                state.matured = max(state.verified, state.matured - 1)
            else:
                state.verified = min(state.matured, state.verified + 1)

    def _worth(self, verification: Verification) -> int:
        ring, worth = self.state.ring, 1000
        if verification.age < 30:
            worth //= 5
        if regular([each.age for each in ring]):
            worth //= 5
        if tells_networks_apart(self.counter) and verification.network:
            same = sum(each.network == verification.network for each in ring)
            worth //= 1 + min(CROWD, same)
        places = near(self.counter)
        if any(abs(each.place - verification.place) < places for each in ring):
            worth //= 4
        return worth


def regular(ages: list[int]) -> bool:
    """Whether six or more ages are more alike than people's are."""
    n, total = len(ages), sum(ages)
    return n >= 6 and 10 * sum(abs(n * age - total) for age in ages) < n * total


def tenths(age: int) -> int:
    """The age of a verification in tenths of a second, as far as it is remembered."""
    return max(0, min(LARGEST, age // 100))


def width(counter: Conversion) -> int:
    """Milliseconds per slice."""
    return counter.seconds * 1000 // SLICES


def look(
    counter: Conversion, stored: Kept | None, now: int, ripe: int | None, silent: bool
) -> ConversionLook:
    """Read a conversion; sends of at least ``ripe`` ms have matured."""
    wide, span = width(counter), counter.seconds * 1000
    index = now // wide
    if stored is None or (now - stored.index * wide > REMEMBERED and now >= stored.ends):
        stored = Kept(index=index)
    if index < stored.index:
        index, now = stored.index, stored.index * wide
    state = Kept(
        stored.sum, stored.matured, stored.verified, stored.ends, index,
        [Slice(each.open, each.done, each.taken) for each in stored.slices], list(stored.ring),
    )  # fmt: skip
    mature(counter, state, stored.index, now - min(ripe or span, span), silent)
    if state.slices:
        state.slices[:0] = [Slice() for _ in range(index - stored.index)]
    if state.ends and now >= state.ends:
        state.sum = state.ends = 0
    alarming = state.sum >= steps(counter).alarm and state.matured >= counter.minimum
    begins = alarming and not state.ends and not silent
    if begins:
        state.ends = now + counter.hold * 1000
    return ConversionLook(counter, now, silent, state, begins)


def mature(counter: Conversion, state: Kept, newest: int, before: int, silent: bool) -> None:
    """Score the slices that have ended ``before``, oldest first; in silence they are dropped."""
    slices, wide = state.slices, width(counter)
    while slices and (newest - len(slices) + 2) * wide <= before:
        oldest = slices.pop()
        if not silent:
            scored = state.sum + oldest.open * steps(counter).fail - oldest.taken
            state.sum = min(HIGHEST, max(0, scored))
            state.matured += oldest.open + oldest.done
            state.verified += oldest.done
    while state.matured > COUNTED_UP_TO:
        state.matured //= 2
        state.verified //= 2
