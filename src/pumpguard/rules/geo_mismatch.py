"""The client's address is in one country, the phone in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Counter, Reading
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoMismatch:
    """Asks for proof when the countries of address and phone differ.

    A traveller looks just the same, and address data says where a block was assigned, not where
    it is used: so this asks, and never blocks alone. Countries that share a calling code (US and
    Canada, Russia and Kazakhstan) count as one; an unknown country is no mismatch.
    """

    name: str = "geo_mismatch"
    mode: Mode = "enforce"
    action: ActionName = "challenge"
    weight: float = 1.25
    declares_by: ClassVar[Sequence[str]] = ()

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """None: the request says it all."""
        return ()

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding if both countries are known and differ."""
        there, phone = attempt.client.country, attempt.phone
        if there is None or phone.region is None or there == phone.region:
            return None
        if there in COUNTRY_CODE_TO_REGION_CODE.get(phone.calling_code, ()):
            return None
        evidence = {"client": there, "phone": phone.region}
        return Finding(
            self.name,
            action_of(self.action),
            "GEO_MISMATCH",
            evidence,
            weight=self.weight,
            mode=self.mode,
        )
