"""At most so many dollars an hour, a day and a month, whatever else happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal, Self

from pumpguard.attempt import Attempt
from pumpguard.counters import Counter, Reading, Spend, micros
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import HIGH_RISK, RegionalRule

HOUR, DAY, MONTH = 3_600, 86_400, 30 * 86_400
HOURLY_DIVISOR = 6
"""An hour may spend a sixth of a day's budget (Authgear's hourly caps), so that somebody can look
before the day's is gone. A divisor: a product with 1/6 is off by a micro-dollar at times."""

MONTHLY_FACTOR = 20
"""A month (30 days) may spend twenty times a day's budget."""

CODES = {Action.ALLOW: "BUDGET_ALERT", Action.CHALLENGE: "BUDGET_LOW"}
"""The reason codes of what refuses less than the cap."""


class Budget(RegionalRule):
    """Caps the spend in USD: everything's, or each country's or calling code's.

    ``day`` is the cap per 24 hours; ``hour`` is a sixth of it and ``month`` (30 days) twenty times
    it, unless given. All are sliding windows, reserved when a message is admitted.

    ``reserved`` is the share that is kept for customers: known numbers that ask from where they
    have verified. Half of it is open to other known numbers, whom anybody may name, and to proof
    from addresses whose users verify (`pumpguard.counters.Known`). So an attacker who empties the
    open share locks no customer out, even if he knows their numbers. At ``challenge`` of what is
    open to an attempt it must bring proof, and at the whole it meets ``action``. From the share
    ``alert`` of the day's budget on, a finding says so and refuses nobody.

    ``verified`` is what a dollar counts in the hour once its message was verified: less than 1 lets
    a launch through that converts, and whoever verifies everything spend ``hour / verified``. The
    day's and month's caps count all, but proof is asked for near their end by the same measure.
    A code that looks bought pays back less (`pumpguard.rules.Conversion`).

    With ``by="country"``, ``high_risk_factor`` scales the cap of the regions in ``high_risk``
    (Authgear's thresholds for them have 0.2).
    """

    day: float
    hour: float | None = None
    month: float | None = None
    by: Literal["everything", "country", "calling_code"] = "everything"
    reserved: float = 0.2
    alert: float = 0.5
    challenge: float = 0.8
    verified: float = 1.0
    high_risk_factor: float = 1.0
    high_risk: Sequence[str] = HIGH_RISK
    weight: float = 1.5
    declares_by = ("country",)
    needs_outcomes = True

    @cached_property
    def _caps(self) -> tuple[tuple[Spend, ...], ...]:
        """For countries of usual risk without proof and with it, then for those of high risk."""
        hour = self.day / HOURLY_DIVISOR if self.hour is None else self.hour
        month = self.day * MONTHLY_FACTOR if self.month is None else self.month
        factor = self.high_risk_factor
        ordered = 0 < hour <= self.day <= month < 1e9
        self.require(ordered, "day", "0 < hour ≤ day ≤ month in USD", (hour, self.day, month))
        self.require(0 <= self.reserved < 1, "reserved", "a share of 0 or more, below 1")
        self.require(0 < self.challenge <= 1, "challenge", "a share above 0, up to 1")
        self.require(0 < self.alert <= 1, "alert", "a share above 0, up to 1")
        self.require(0 < factor <= 1, "high_risk_factor", "a factor above 0, up to 1")
        self.require(0.001 <= self.verified <= 1, "verified", "a share from 0.001 to 1")
        windows = ((hour, HOUR), (self.day, DAY), (month, MONTH))
        variants = ((risk, proved) for risk in (1.0, factor) for proved in (False, True))
        return tuple(self._spends(windows, risk, proved) for risk, proved in variants)

    def _spends(
        self, windows: Sequence[tuple[float, int]], factor: float, proved: bool
    ) -> tuple[Spend, ...]:
        """Proof is asked for below the cap; with it, the cap itself is what counts. What asks by
        another sum than the cap's is declared with proof as well, or it would not be charged."""
        share = 1.0 if proved else self.challenge
        found = []
        for usd, seconds in windows:
            kept = int(usd * factor * self.reserved * 1e6)
            open_to_all = int(usd * factor * 1e6) - kept
            asked = int(open_to_all * share) + kept
            asking = Spend(
                self.name, self.by, asked, seconds, kept, Action.CHALLENGE, self.verified
            )
            capped = replace(
                asking, limit=open_to_all + kept, action=self.effect,
                verified=self.verified if seconds == HOUR else 1.0,
            )  # fmt: skip
            one_sum = capped.verified == asking.verified
            if self.challenge < 1 and not (proved and one_sum):
                found.append(asking)
            if self.challenge == 1 or proved or not one_sum:
                found.append(capped)
        if self.verified < 1 and self.challenge < 1:
            found.append(self._alert(factor * self.challenge * (1 - self.reserved)))
        return (*found, self._alert(factor * self.alert))

    def _alert(self, share: float) -> Spend:
        return Spend(self.name, self.by, micros(self.day * share), DAY, 0, Action.ALLOW)

    def without_challenge(self) -> Self:
        return replace(self, challenge=1.0)  # until it is spent, nobody is refused

    def counters(self, attempt: Attempt) -> Sequence[Spend]:
        if not self.applies_to(attempt):
            return ()
        risky = self.by == "country" and attempt.phone.region in self.high_risk
        return self._caps[2 * risky + attempt.proved]

    def weighs(self, counter: Counter) -> bool:
        return counter.action is not Action.ALLOW  # an alert says nothing about the request

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        full = [p for p in zip(self.counters(attempt), readings, strict=False) if p[1].full]
        if not full:
            return None
        # Of two alerts the later one.
        spend, reading = max(
            full, key=lambda p: (p[0].action, p[1].wait if p[0].action else p[0].limit)
        )
        action = spend.action
        code = CODES.get(action, "BUDGET_SPENT")
        if spend.action is Action.ALLOW and len(full) > 1:
            code = CODES[Action.CHALLENGE]
        evidence = {
            "by": self.by,
            "used": reading.used / 1e6,
            "limit": (spend.limit - spend.reserved) / 1e6,
            "known_limit": spend.limit / 1e6,
            "seconds": spend.seconds,
        }
        return self.finding(
            code,
            evidence,
            action=action,
            retry_after=reading.wait if action else None,
            weight=None if action else 1.0,
            subject=attempt.subject(self.by),
        )
