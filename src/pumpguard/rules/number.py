"""What kind of number it is, before anything is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pumpguard.attempt import Attempt, LineType, Phone
from pumpguard.config import check
from pumpguard.counters import Counter, Reading
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of

PAID_LINES: tuple[LineType, ...] = (
    "premium",
    "shared_cost",
    "pager",
    "uan",
    "voicemail",
    "satellite",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """Refuses numbers that nobody receives a code on.

    That is: ranges that the numbering plan does not allocate, ``refused_lines`` (premium, satellite
    and their like) and ``refused_regions``. ``only_regions``, if given, refuses all others.
    """

    refused_lines: Sequence[LineType] = PAID_LINES
    refused_regions: Sequence[str] = ()
    only_regions: Sequence[str] = ()
    unallocated: bool = True
    name: str = "number"
    mode: Mode = "enforce"
    action: ActionName = "block"
    weight: float = 2.0
    declares_by: ClassVar[Sequence[str]] = ()

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """None: the number says it all."""
        return ()

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding about the first thing that is wrong with the number."""
        phone = attempt.phone
        code = self._reason(phone)
        if code is None:
            return None
        evidence = {
            "region": phone.region,
            "line": phone.line_type,
            "calling_code": phone.calling_code,
        }
        return Finding(
            self.name, action_of(self.action), code, evidence, weight=self.weight, mode=self.mode
        )

    def _reason(self, phone: Phone) -> str | None:
        if phone.line_type == "satellite" and "satellite" in self.refused_lines:
            return "NUMBER_SATELLITE"
        if self.unallocated and not phone.valid:
            return "NUMBER_UNALLOCATED"
        if phone.line_type in self.refused_lines:
            return "NUMBER_LINE_TYPE"
        if phone.region in self.refused_regions:
            return "NUMBER_REGION"
        if self.only_regions and phone.region not in self.only_regions:
            return "NUMBER_REGION"
        return None
