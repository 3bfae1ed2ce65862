"""At most so many dollars an hour, a day and a month: the limit that no attacker walks around."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Counter, Reading, Spend, micros
from pumpguard.decision import Action, Finding, Mode
from pumpguard.rules.base import ActionName, action_of, require
from pumpguard.rules.high_risk import HIGH_RISK

HOUR, DAY, MONTH = 3_600, 86_400, 30 * 86_400
HOURS_IN_A_DAY = 6
"""An hour may spend a sixth of a day (Authgear's hourly caps): a day's budget must not be gone
before anybody has looked."""

DAYS_IN_A_MONTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Caps the spend in USD: everything's, or each country's or calling code's.

    ``day`` is the cap per 24 hours; ``hour`` is a sixth of it and ``month`` (30 days) twenty times
    it, unless given. All are sliding windows, reserved when a message is admitted.

    ``reserved`` is the share that only known numbers may spend, those that have verified before:
    an attacker who empties the open share cannot lock customers out. At ``challenge`` of what is
    open to an attempt it must bring proof, and at the whole it meets ``action``. From ``alert`` of
    the day's budget on, findings say so without acting.

    With ``by="country"``, ``high_risk_factor`` scales the cap of the regions in ``high_risk``
    (Authgear's thresholds for them have 0.2). ``regions`` and ``except_regions`` restrict the rule.
    """

    day: float
    hour: float | None = None
    month: float | None = None
    by: Literal["everything", "country", "calling_code"] = "everything"
    reserved: float = 0.2
    alert: float = 0.5
    challenge: float = 0.8
    high_risk_factor: float = 1.0
    high_risk: Sequence[str] = HIGH_RISK
    regions: Sequence[str] = ()
    except_regions: Sequence[str] = ()
    name: str = "budget"
    mode: Mode = "enforce"
    action: ActionName = "throttle"
    weight: float = 1.5
    declares_by: ClassVar[Sequence[str]] = ("country",)
    settles: ClassVar[bool] = True
    _caps: tuple[tuple[Spend, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")
        hour = self.day / HOURS_IN_A_DAY if self.hour is None else self.hour
        month = self.day * DAYS_IN_A_MONTH if self.month is None else self.month
        ordered = 0 < hour <= self.day <= month < 1e9
        require(ordered, self.name, "day", "0 < hour ≤ day ≤ month in USD", (hour, self.day, month))
        require(0 <= self.reserved < 1, self.name, "reserved", "a share below 1", self.reserved)
        require(0 < self.challenge <= 1, self.name, "challenge", "a share up to 1", self.challenge)
        require(0 < self.alert <= 1, self.name, "alert", "a share up to 1", self.alert)
        require(
            0 < self.high_risk_factor <= 1,
            self.name, "high_risk_factor", "a factor up to 1", self.high_risk_factor,
        )  # fmt: skip
        whole = ((hour, HOUR), (self.day, DAY), (month, MONTH))
        caps = [self._declared(whole, factor, proved) for factor, proved in self._variants()]
        object.__setattr__(self, "_caps", tuple(caps))

    def counters(self, attempt: Attempt) -> Sequence[Spend]:
        """A sum per window, with the limit that this attempt meets first, and the alert's."""
        region = attempt.phone.region
        if (self.regions and region not in self.regions) or region in self.except_regions:
            return ()
        risky = self.by == "country" and region in self.high_risk
        return self._caps[2 * risky + attempt.proved]

    def weighs(self, counter: Counter) -> bool:
        """All but the alert, which says nothing about the request."""
        return counter.action is not Action.ALLOW

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the window that stays full longest, or an alert that changes nothing."""
        pairs = list(zip(self.counters(attempt), readings, strict=False))
        full = [pair for pair in pairs if pair[1].full]
        if not full:
            return None
        spend, reading = max(full, key=lambda pair: (pair[0].action, pair[1].wait))
        return Finding(
            self.name,
            spend.action,
            _CODES[min(spend.action, Action.THROTTLE)],
            {
                "by": self.by,
                "used": reading.used / 1e6,
                "limit": (spend.limit - spend.reserved) / 1e6,
                "known_limit": spend.limit / 1e6,
                "seconds": spend.seconds,
            },
            retry_after=reading.wait if spend.action else None,
            weight=self.weight if spend.action else 1.0,
            subject=attempt.subject(self.by),
            mode=self.mode,
        )

    def _variants(self) -> tuple[tuple[float, bool], ...]:
        return tuple((f, proved) for f in (1.0, self.high_risk_factor) for proved in (False, True))

    def _declared(
        self, windows: Sequence[tuple[float, int]], factor: float, proved: bool
    ) -> tuple[Spend, ...]:
        """Proof is asked for below the cap; with it, the cap itself is what counts."""
        share = 1.0 if proved else self.challenge
        action = action_of(self.action) if proved or share == 1 else Action.CHALLENGE
        found = []
        for usd, seconds in windows:
            kept = int(usd * factor * self.reserved * 1e6)
            open_to_all = int(usd * factor * 1e6) - kept
            limit = int(open_to_all * share) + kept
            found.append(Spend(self.name, self.by, limit, seconds, kept, action))
        alert = micros(self.day * factor * self.alert)
        return (*found, Spend(self.name, self.by, alert, DAY, 0, Action.ALLOW))


_CODES = {
    Action.ALLOW: "BUDGET_ALERT",
    Action.CHALLENGE: "BUDGET_LOW",
    Action.THROTTLE: "BUDGET_SPENT",
}
