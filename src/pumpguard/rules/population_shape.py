"""A burst is not an attack: whether a country's messages go where they always went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Mix, Reading
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of, require
from pumpguard.rules.limits_notation import check_dimensions


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationShape:
    """Asks for proof while a country's messages are spread over its ranges as they never were.

    A promotion makes all ranges busier together and is no finding. An attack is, also one that is
    spread over so many blocks that none of them stands out: once what is recent (an average over
    ``seconds``, at least ``minimum`` messages) is ``h`` nats from what weeks have taught, whoever
    asks for a range that has its share already is asked for proof, for ``hold`` seconds. Known
    numbers pass. It says nothing about a country of which fewer than 30 messages are remembered.

    Source: the G-test (log-likelihood ratio) of goodness of fit. What was measured, and why this is
    not in the default chain, is in ``docs/detection.md``.
    """

    minimum: int = 6
    h: float = 12.0
    seconds: int = 600
    hold: int = 3_600
    by: str = "country"
    name: str = "population_shape"
    mode: Mode = "enforce"
    action: ActionName = "challenge"
    weight: float = 2.0
    declares_by: ClassVar[Sequence[str]] = ()
    _mixes: tuple[Mix, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        require(3 <= self.minimum <= 10_000, self.name, "minimum", "3 to 10000", self.minimum)
        require(0 < self.h < 1_000, self.name, "h", "nats above 0", self.h)
        in_a_day = 120 <= self.seconds <= 86_400
        require(in_a_day, self.name, "seconds", "120 to 86400", self.seconds)
        require(60 <= self.hold <= 86_400, self.name, "hold", "60 to 86400", self.hold)
        by = check_dimensions(self.by.split("+"), f"{path}.by")
        mix = Mix(
            self.name, by, self.minimum, self.h, self.seconds, self.hold, action_of(self.action)
        )
        object.__setattr__(self, "_mixes", (mix,))

    def counters(self, attempt: Attempt) -> Sequence[Mix]:
        """The mix of the country."""
        return self._mixes

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding for a range that has its share, while the country is unlike itself."""
        reading = readings[0]
        if not reading.full:
            return None
        nats, usual = reading.detail if len(reading.detail) == 2 else (0, 0)
        return Finding(
            self.name,
            action_of(self.action),
            "POPULATION_UNUSUAL",
            {
                "by": self.by,
                "recent": reading.used,
                "nats": nats / 1000 or None,
                "usual_in_range": round(usual / 256, 2),
            },
            retry_after=reading.wait,
            weight=self.weight,
            subject=attempt.subject(self.by),
            mode=self.mode,
        )
