"""The client's address is in one country, the phone in another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from pumpguard.attempt import Attempt
from pumpguard.counters import Credit, Reading, Window
from pumpguard.decision import Finding
from pumpguard.rules.base import HIGHEST_LIMIT, ActionName, Rule, parse_limits

HOUR = 3_600

SEEN_FROM_ELSEWHERE = "country+client_abroad"


class GeoMismatch(Rule):
    """Asks for proof when the countries of address and phone differ.

    A traveller looks just the same, and address data says where a block was assigned, not where
    it is used: so this asks, and never blocks alone. Countries that share a calling code (US and
    Canada, Russia and Kazakhstan) count as one; an unknown country is no mismatch.

    With ``limits``, so many messages to a country may come from elsewhere before clients are asked.
    In ``relaxed_regions``, where most users live, limits are ``relaxed_factor`` times as high; in
    ``strict_regions`` the first is asked already. With ``unverified``, messages that were verified
    do not count, and a strict country earns that as a line of credit grows: unverified dollars of
    two hours may stand there of ``ratio`` times what was verified from elsewhere on the best day.
    """

    limits: str = ""
    strict_regions: Sequence[str] = ()
    relaxed_regions: Sequence[str] = ()
    relaxed_factor: int = 5
    unverified: bool = False
    ratio: float = 0.0
    action: ActionName = "challenge"
    weight: float = 1.25
    needs_challenge: bool = False
    declares_by = ("client_country", "country")
    needs_readings = False
    needs_outcomes = True

    @cached_property
    def _usual(self) -> tuple[Window, ...]:
        return self._windows(1)

    @cached_property
    def _relaxed(self) -> tuple[Window, ...]:
        return self._windows(self.relaxed_factor)

    def _windows(self, factor: int) -> tuple[Window, ...]:
        path = f"rules.{self.name}.limits"
        limits = parse_limits(self.limits, path) if self.limits else ()
        highest = max((limit for limit, _ in limits), default=1)
        countable = factor > 0 and highest * factor <= HIGHEST_LIMIT
        self.require(countable, "relaxed_factor", "a countable limit")
        return tuple(
            Window(
                self.name, SEEN_FROM_ELSEWHERE, limit * factor, seconds, self.effect,
                unverified=self.unverified,
            )
            for limit, seconds in limits
        )  # fmt: skip

    @cached_property
    def _strict(self) -> tuple[Credit, ...]:
        self.require(0 <= self.ratio <= 1, "ratio", "0 to 1")
        line = Credit(self.name, SEEN_FROM_ELSEWHERE, 0, 2 * HOUR, self.ratio, self.effect)
        return (line,) if self.ratio else ()

    @property
    def outcome_dimensions(self) -> Sequence[str]:
        return (SEEN_FROM_ELSEWHERE,)

    def counters(self, attempt: Attempt) -> Sequence[Window | Credit]:
        region = attempt.phone.region
        # Without a client nobody asks: it is told what became of a message from somewhere.
        if attempt.client.country is not None and not _differ(attempt):
            return ()
        if region in self.strict_regions:
            return self._strict
        return self._relaxed if region in self.relaxed_regions else self._usual

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        there, region = attempt.client.country, attempt.phone.region
        if there is None or there == region or not _differ(attempt):
            return None
        if readings and not any(reading.full for reading in readings):
            return None
        return self.finding("GEO_MISMATCH", {"client": there, "phone": region})


def _differ(attempt: Attempt) -> bool:
    there, phone = attempt.client.country, attempt.phone
    if there is None or phone.region is None or there == phone.region:
        return False
    return there not in COUNTRY_CODE_TO_REGION_CODE.get(phone.calling_code, ())
