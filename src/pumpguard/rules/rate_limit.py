"""At most so many messages per phone, network, prefix, country: any dimension, any mix of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Self

from pumpguard.attempt import Attempt
from pumpguard.counters import Counts, Reading, Window
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import (
    RegionalRule,
    check_dimensions,
    check_earned,
    longest_full,
    parse_limits,
)
from pumpguard.rules.challenge import UNASKED, widened


class RateLimit(RegionalRule):
    """Limits what is admitted per subject, in the notation of the ``limits`` package.

    ``by`` is a dimension or several, which are then counted in combination. Where the attempt has
    no value on one of them (no session, address unknown), the rule has nothing to say. ``earned``
    lets subjects whose users verify have up to so many times the limits
    (`pumpguard.outcomes.Outcomes`); never more than the headroom they have earned at that moment.

    ``unverified`` are limits on messages that were not verified: the others give their places
    back. ``reserved`` is what customers have beside each limit, as a share of it rounded down, and
    what strangers' requests cannot fill; half of it is open to known numbers, whoever asks for
    them (`pumpguard.counters.Known`). Where nobody can be asked for proof, limits that only ask
    refuse at ``unasked`` times as many.

        RateLimit(name="phone_limit", by="phone", limits="1/minute; 5/day")
        RateLimit(name="pair", by=("network", "country"), limits="10/hour", action="challenge")
        RateLimit(name="offices", by="network", limits="15/hour", earned=10)
        RateLimit(name="codes", by="phone", limits="3/hour", unverified="5/day", reserved=0.9)
    """

    by: str | Sequence[str]
    limits: str
    counts: Counts = "admissions"
    earned: int = 1
    unverified: str = ""
    reserved: float = 0.0
    unasked: int = UNASKED
    weight: float = 1.5
    declares_by = ("country",)
    needs_outcomes = True

    @cached_property
    def _windows(self) -> tuple[Window, ...]:
        path = f"rules.{self.name}"
        by = check_dimensions(self.by, f"{path}.by")
        pairs = parse_limits(self.limits, f"{path}.limits")
        few = parse_limits(self.unverified, f"{path}.unverified") if self.unverified else ()
        check_earned(self.earned, max(limit for limit, _ in (*pairs, *few)), self.name)
        self.require(0 <= self.reserved <= 10, "reserved", "0 to 10")
        return (
            *(self._window(by, limit, seconds, False) for limit, seconds in pairs),
            *(self._window(by, limit, seconds, True) for limit, seconds in few),
        )

    def _window(self, by: str, limit: int, seconds: int, unverified: bool) -> Window:
        kept = int(limit * self.reserved)
        return Window(
            self.name, by, limit + kept, seconds, self.effect, self.counts, self.earned, kept,
            unverified,
        )  # fmt: skip

    def without_challenge(self) -> Self:
        if self.effect is not Action.CHALLENGE:
            return self
        path = f"rules.{self.name}.limits"
        return replace(self, action="throttle", limits=widened(self.limits, self.unasked, path))

    @property
    def earned_by(self) -> Sequence[str]:
        return [self._windows[0].by] if self.earned > 1 else []

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        return self._windows if self.applies_to(attempt) else ()

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        window, reading = longest_full(self._windows, readings)
        if window is None or reading is None:
            return None
        evidence = {
            "by": window.by,
            "used": reading.used,
            "limit": reading.detail[0] if reading.detail else window.for_all,
            "seconds": window.seconds,
        }
        subject = attempt.subject(window.by)
        return self.finding("RATE_LIMIT", evidence, retry_after=reading.wait, subject=subject)
