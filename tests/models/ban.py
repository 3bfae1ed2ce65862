"""Bans: strikes, and how long each ban lasts."""

from __future__ import annotations

from pumpguard.counters import EXACT_UP_TO, Ban, Reading
from tests.models.base import ALL, Facts, Model, reading
from tests.models.window import Log, Slices


class BanModel(Model[Ban]):
    """Until when, the level then, and the strikes for the next."""

    def __init__(self) -> None:
        self.ends, self.level = 0, 0
        self.log, self.slices = Log(), Slices()

    def level_at(self, counter: Ban, now: int) -> int:
        """One less for every ``memory`` that has passed since the ban ended."""
        passed = max(0, now - self.ends)
        return max(0, self.level - passed // (counter.memory * 1000))

    def look(self, counter: Ban, facts: Facts) -> Reading:
        stands = max(0, self.ends - facts.now)
        if counter.yields and 0 < facts.headroom.get(counter.by, 0) < ALL:
            stands = 0
        if counter.except_known and facts.halves >= (2 if counter.challenges else 1):
            stands = 0
        return reading(self.level_at(counter, facts.now), stands)

    def strike(self, counter: Ban, facts: Facts) -> None:
        """One more; the last that is needed begins a ban, and the next starts from none."""
        most, exact = counter.limit * counter.max_factor, self.exact(counter)
        needed = min(most, counter.limit + facts.headroom.get(counter.by, 0))
        if exact:
            had, _ = self.log.look(needed, counter.span, facts.now)
        else:
            had, _ = self.slices.look(needed, counter.span, facts.now, 1)
        if had + 1 >= needed:
            level = self.level_at(counter, facts.now)
            seconds = min(counter.base * counter.factor**level, counter.cap)
            seconds *= 1 + counter.jitter * facts.chance
            self.ends = facts.now + max(1, int(seconds * 1000))
            self.level = min(level + 1, 255)
            self.log, self.slices = Log(), Slices()
        elif exact:
            self.log.add(facts.now)
        else:
            self.slices.add(counter.span, facts.now, 1)

    @staticmethod
    def exact(counter: Ban) -> bool:
        """Whether the time of every strike is kept."""
        return counter.limit * counter.max_factor <= EXACT_UP_TO
