"""Which counters a rule is judged by, and what it weighs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple, Self

from pumpguard.counters import Counter
from pumpguard.rules.base import Rule


class Judged(NamedTuple):
    """A rule that is judged by readings. ``places`` has the index in the plan of each counter that
    it declares, -1 for what is kept by dimensions that the attempt lacks; what is ``asked`` for are
    the others, and ``weighing`` the indexes of those that put its weight into the risk score."""

    rule: Rule
    places: tuple[int, ...]
    asked: Mapping[int, Counter]
    weighing: frozenset[int]

    @classmethod
    def of(cls, rule: Rule, lacking: Sequence[bool], declared: Sequence[Counter], at: int) -> Self:
        """Of a rule whose first counter has the index ``at``."""
        places = tuple(
            [-1 if lacks else at + i - sum(lacking[:i]) for i, lacks in enumerate(lacking)]
        )
        asked = {i: each for i, each in zip(places, declared, strict=True) if i >= 0}
        return cls(rule, places, asked, frozenset(i for i in asked if rule.weighs(asked[i])))

    def factor(self, full: Set[int]) -> float:
        """What the rule puts into the risk score."""
        return 1.0 if full.isdisjoint(self.weighing) else self.rule.weight
