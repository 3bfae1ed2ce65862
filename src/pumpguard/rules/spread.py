"""One subject shows too many faces: an address with many devices, a session with many domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import DISTINCT_UP_TO, Distinct, Reading
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of, require
from pumpguard.rules.limits_notation import check_dimensions


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Limits how many different values of the dimension ``of`` one subject may show in ``seconds``.

        Spread(name="devices", by="network", of="device", limit=8)

    Both may be any dimension, or several in combination, the policy's own included. ``code`` is
    what its findings are called. The one of the default chain is ``country_spread``.
    """

    by: str | Sequence[str]
    of: str | Sequence[str]
    limit: int
    seconds: int = 86_400
    name: str = "spread"
    mode: Mode = "enforce"
    action: ActionName = "challenge"
    weight: float = 2.0
    code: str = "SPREAD"
    declares_by: ClassVar[Sequence[str]] = ()
    _spread: tuple[Distinct, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        by, of = check_dimensions(self.by, f"{path}.by"), check_dimensions(self.of, f"{path}.of")
        fits = 1 <= self.limit <= DISTINCT_UP_TO
        require(fits, self.name, "limit", f"1 to {DISTINCT_UP_TO}", self.limit)
        require(self.seconds > 0, self.name, "seconds", "at least 1", self.seconds)
        spread = Distinct(self.name, by, self.limit, self.seconds, of, action_of(self.action))
        object.__setattr__(self, "_spread", (spread,))

    def counters(self, attempt: Attempt) -> Sequence[Distinct]:
        """The different values that this subject has shown."""
        return self._spread

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding for one value too many."""
        if not readings or not readings[0].full:
            return None
        spread = self._spread[0]
        return Finding(
            self.name,
            spread.action,
            self.code,
            {
                "by": spread.by,
                "of": spread.of,
                "used": readings[0].used,
                "limit": self.limit,
                "seconds": self.seconds,
            },
            retry_after=readings[0].wait,
            weight=self.weight,
            subject=attempt.subject(spread.by),
            mode=self.mode,
        )
