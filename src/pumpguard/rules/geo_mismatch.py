"""The client's address is in one country, the phone in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Counter, Reading, Window
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of, require
from pumpguard.rules.limits_notation import HIGHEST_LIMIT, parse_limits


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoMismatch:
    """Asks for proof when the countries of address and phone differ.

    A traveller looks just the same, and address data says where a block was assigned, not where
    it is used: so this asks, and never blocks alone. Countries that share a calling code (US and
    Canada, Russia and Kazakhstan) count as one; an unknown country is no mismatch.

    With ``limits``, a mismatch alone is nothing: so many messages to a country may come from
    elsewhere, and who comes then is asked. In ``relaxed_regions``, where most users live, limits
    are ``relaxed_factor`` times as high; in ``strict_regions`` the first is asked already. With
    ``needs_challenge``, the rule only records where no challenge could be posed.
    """

    limits: str = ""
    strict_regions: Sequence[str] = ()
    relaxed_regions: Sequence[str] = ()
    relaxed_factor: int = 5
    name: str = "geo_mismatch"
    mode: Mode = "enforce"
    action: ActionName = "challenge"
    weight: float = 1.25
    needs_challenge: bool = False
    declares_by: ClassVar[Sequence[str]] = ("client_country", "country")
    _usual: tuple[Window, ...] = field(init=False, repr=False)
    _relaxed: tuple[Window, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        limits = parse_limits(self.limits, f"{path}.limits") if self.limits else ()
        most, factor = max((limit for limit, _ in limits), default=1), self.relaxed_factor
        countable = factor > 0 and most * factor <= HIGHEST_LIMIT
        require(countable, self.name, "relaxed_factor", "a countable limit", factor)
        object.__setattr__(self, "_usual", self._declared(limits, 1))
        object.__setattr__(self, "_relaxed", self._declared(limits, factor))

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """What came from elsewhere to the phone's country, where that is limited."""
        region = attempt.phone.region
        if region in self.strict_regions or not _differ(attempt):
            return ()
        return self._relaxed if region in self.relaxed_regions else self._usual

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding if both countries are known and differ, and too many did."""
        if not _differ(attempt) or (readings and not any(reading.full for reading in readings)):
            return None
        return Finding(
            self.name,
            action_of(self.action),
            "GEO_MISMATCH",
            {"client": attempt.client.country, "phone": attempt.phone.region},
            weight=self.weight,
            mode=self.mode,
        )

    def _declared(self, limits: Sequence[tuple[int, int]], factor: int) -> tuple[Window, ...]:
        action = action_of(self.action)
        return tuple(
            Window(self.name, "country", limit * factor, seconds, action)
            for limit, seconds in limits
        )


def _differ(attempt: Attempt) -> bool:
    there, phone = attempt.client.country, attempt.phone
    if there is None or phone.region is None or there == phone.region:
        return False
    return there not in COUNTRY_CODE_TO_REGION_CODE.get(phone.calling_code, ())
