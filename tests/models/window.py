"""Sliding windows: the exact time of every hit, or whole slices of a tenth."""

from __future__ import annotations

from pumpguard.counters import EXACT_UP_TO, SLICES, Reading, Window
from tests.models.base import Facts, Model, reading


class Log:
    """The exact time of every hit; the last 512 at most."""

    def __init__(self) -> None:
        self.times: list[int] = []

    def look(self, limit: int, span: int, now: int) -> tuple[int, int]:
        """How many hits are in the window, and for how long so many that it is full."""
        now = max([now, *self.times[-1:]])
        live = [time for time in self.times if time > now - span]
        return len(live), live[-limit] + span - now if len(live) >= limit else 0

    def add(self, now: int) -> None:
        """One more."""
        self.times = [*self.times, max([now, *self.times[-1:]])][-EXACT_UP_TO:]

    def give_back(self, when: int) -> None:
        """One of that very time, unless so many are kept that older ones may be forgotten."""
        if len(self.times) < EXACT_UP_TO and when in self.times:
            self.times.remove(when)


class Slices:
    """Amounts, of which whole slices count: the current one, and the ten before it.

    So what counts is never less than what is in the true window, and never more than what is in
    one that is longer by a slice; each look asserts it.
    """

    def __init__(self) -> None:
        self.hits: list[tuple[int, int]] = []
        self.seen = 0  # the latest slice

    def look(self, limit: int, span: int, now: int, amount: int) -> tuple[int, int]:
        """The sum, and how long until the amount fits; a window and a slice if it never does."""
        width = span // SLICES
        index, now = max(self.seen, now // width), max(now, self.seen * width)

        def left(slices: int) -> int:
            """The sum when so many slices more have begun."""
            return sum(n for time, n in self.hits if time // width >= index + slices - SLICES)

        used, true_now = left(0), max([now, *(time for time, _ in self.hits[-1:])])
        assert self.within(span, true_now) <= used <= self.within(span + width, true_now)
        if used + amount <= limit:
            return used, 0
        opens = next((n for n in range(1, SLICES + 1) if left(n) + amount <= limit), SLICES + 1)
        return used, (index + opens) * width - now

    def add(self, span: int, now: int, amount: int) -> None:
        """One more amount; time does not run backwards."""
        now = max([now, self.seen * span // SLICES, *(time for time, _ in self.hits[-1:])])
        self.hits.append((now, amount))
        self.seen = now * SLICES // span

    def give_back(self, span: int, now: int, amount: int, when: int) -> None:
        """Up to the amount is taken out of the slice in which it was spent, if that counts."""
        width = span // SLICES
        now_in, then_in = max(self.seen, now // width), when // width
        then_in = min(now_in, then_in)
        for i in reversed(range(len(self.hits))):
            time, spent = self.hits[i]
            if time // width == then_in >= now_in - SLICES and amount * spent > 0:
                self.hits[i] = time, spent - min(spent, amount)
                amount -= min(spent, amount)
                self.seen = now_in

    def within(self, span: int, now: int) -> int:
        """The sum in a true window."""
        return sum(amount for time, amount in self.hits if time > now - span)


class WindowModel(Model[Window]):
    """The hits of a subject; windows of one rule look at the same."""

    def __init__(self) -> None:
        self.log, self.slices = Log(), Slices()

    def look(self, counter: Window, facts: Facts) -> Reading:
        headroom, for_all = facts.headroom.get(counter.by, 0), counter.limit - counter.reserved
        limit = min(for_all * counter.max_factor, for_all + headroom)
        limit += facts.open_of(counter.reserved)
        if self.exact(counter):
            used, wait = self.log.look(limit, counter.span, facts.now)
        else:
            used, wait = self.slices.look(limit, counter.span, facts.now, 1)
        more = counter.max_factor > 1 or counter.reserved > 0
        return reading(used, wait, *((limit, headroom) if more else ()))

    def charge(self, counter: Window, facts: Facts) -> None:
        if self.exact(counter):
            self.log.add(facts.now)
        else:
            self.slices.add(counter.span, facts.now, 1)

    def tell(self, counter: Window, facts: Facts) -> None:
        """One that was not sent takes its place back; where that counts, a verified one too."""
        if facts.outcome != "failed" and not counter.unverified:
            return
        if self.exact(counter):
            self.log.give_back(facts.sent_at)
        else:
            self.slices.give_back(counter.span, facts.now, 1, facts.sent_at)

    @staticmethod
    def exact(counter: Window) -> bool:
        """Whether the time of every hit is kept."""
        most = (counter.limit - counter.reserved) * counter.max_factor + counter.reserved
        return most <= EXACT_UP_TO
