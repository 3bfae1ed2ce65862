"""One address asks for codes to many countries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import DISTINCT_UP_TO, Distinct, Reading
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, Rule, action_of


class CountrySpread(Rule):
    """Limits how many countries' phones one network may ask for in ``seconds``.

    Source: Authgear's fraud protection warns at more than 5 phone countries per address and day.
    """

    countries: int = 5
    seconds: int = 86_400
    name: str = "country_spread"
    mode: Mode = "enforce"
    action: ActionName = "challenge"
    weight: float = 2.0
    declares_by = ()
    _spread: tuple[Distinct, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")
        fits = 1 <= self.countries <= DISTINCT_UP_TO
        self.require(fits, "countries", f"1 to {DISTINCT_UP_TO}", self.countries)
        self.require(self.seconds > 0, "seconds", "at least 1", self.seconds)
        action = action_of(self.action)
        spread = Distinct(self.name, "network", self.countries, self.seconds, "country", action)
        object.__setattr__(self, "_spread", (spread,))

    def counters(self, attempt: Attempt) -> Sequence[Distinct]:
        """The different countries asked for from this network."""
        return self._spread

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding for one country too many."""
        if not readings or not readings[0].full:
            return None
        return Finding(
            self.name,
            action_of(self.action),
            "COUNTRY_SPREAD",
            {"countries": readings[0].used, "limit": self.countries, "seconds": self.seconds},
            retry_after=readings[0].wait,
            weight=self.weight,
            subject=attempt.client.network,
            mode=self.mode,
        )
