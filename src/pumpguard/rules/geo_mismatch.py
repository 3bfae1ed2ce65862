"""The client's address is in one country, the phone in another."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from pumpguard.attempt import Attempt
from pumpguard.counters import Credit, Reading, Window
from pumpguard.decision import Finding
from pumpguard.rules.base import HIGHEST_LIMIT, ActionName, Rule, parse_limits

SEEN_FROM_ELSEWHERE, TWO_HOURS = "country+client_abroad", 7_200


class GeoMismatch(Rule):
    """Asks for proof when the countries of address and phone differ.

    A traveller looks just the same, and address data says where a block was assigned, not where
    it is used: so this asks, and never blocks alone. Countries that share a calling code (US and
    Canada, Russia and Kazakhstan) count as one; an unknown country is no mismatch.

    With ``limits``, so many messages to a country may come from elsewhere before clients are asked.
    In ``relaxed_regions``, where most users live, limits are ``relaxed_factor`` times as high; in
    ``strict_regions`` the first is asked already. With ``ratio``, what was verified does not count,
    and a strict country may owe, of two hours, so much of what was verified on its best day.
    """

    limits: str = ""
    strict_regions: Sequence[str] = ()
    relaxed_regions: Sequence[str] = ()
    relaxed_factor: int = 5
    ratio: float = 0.0
    action: ActionName = "challenge"
    weight: float = 1.25
    needs_challenge: bool = False
    declares_by = ("client_country", "country", "client_hidden")
    needs_readings = False
    needs_outcomes = True

    @cached_property
    def _declared(self) -> tuple[tuple[Window | Credit, ...], ...]:
        """For usual regions, relaxed ones and strict ones."""
        self.require(0 <= self.ratio <= 1, "ratio", "0 to 1")
        by, path, factor = SEEN_FROM_ELSEWHERE, f"rules.{self.name}.limits", self.relaxed_factor
        limits = parse_limits(self.limits, path) if self.limits else ()
        highest = max((limit for limit, _ in limits), default=1)
        self.require(0 < highest * factor <= HIGHEST_LIMIT, "relaxed_factor", "a countable limit")
        usual, relaxed = (
            tuple(
                Window(self.name, by, n * times, seconds, self.effect, unverified=self.ratio > 0)
                for n, seconds in limits
            )
            for times in (1, factor)
        )
        earned = Credit(self.name, by, 0, TWO_HOURS, self.ratio, self.effect)
        return usual, relaxed, (earned,) if self.ratio else ()

    @property
    def outcome_dimensions(self) -> Sequence[str]:
        return (SEEN_FROM_ELSEWHERE,)

    def counters(self, attempt: Attempt) -> Sequence[Window | Credit]:
        region = attempt.phone.region
        # A relay's users may be anywhere. Without a client, it is told what became of a message.
        there = attempt.client.country or attempt.subject("client_hidden")
        if there is not None and not _differ(attempt):
            return ()
        usual, relaxed, strict = self._declared
        if region in self.strict_regions:
            return strict
        return relaxed if region in self.relaxed_regions else usual

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        if not _differ(attempt) or (readings and not any(reading.full for reading in readings)):
            return None
        evidence = {"client": attempt.client.country, "phone": attempt.phone.region}
        return self.finding("GEO_MISMATCH", evidence)


def _differ(attempt: Attempt) -> bool:
    there, phone = attempt.client.country, attempt.phone
    if there is None or phone.region is None or there == phone.region:
        return False
    return there not in COUNTRY_CODE_TO_REGION_CODE.get(phone.calling_code, ())
