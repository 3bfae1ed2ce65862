"""What kind of number it is, before anything is counted."""

from __future__ import annotations

from collections.abc import Sequence

from pumpguard.attempt import Attempt, LineType
from pumpguard.counters import Reading
from pumpguard.decision import Finding
from pumpguard.rules.base import ActionName, Rule

PAID_LINES: tuple[LineType, ...] = (
    "premium", "shared_cost", "pager", "uan", "voicemail", "satellite",
)  # fmt: skip


class Number(Rule):
    """Refuses numbers that nobody receives a code on.

    That is: ranges that the numbering plan does not allocate, ``refused_lines`` (premium, satellite
    and their like) and ``refused_regions``. ``only_regions``, if given, refuses all others.
    """

    refused_lines: Sequence[LineType] = PAID_LINES
    refused_regions: Sequence[str] = ()
    only_regions: Sequence[str] = ()
    unallocated: bool = True
    action: ActionName = "block"
    weight: float = 2.0

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        phone = attempt.phone
        line, region, only = phone.line_type, phone.region, self.only_regions
        if line == "satellite" and line in self.refused_lines:
            code = "NUMBER_SATELLITE"
        elif self.unallocated and not phone.valid:
            code = "NUMBER_UNALLOCATED"
        elif line in self.refused_lines:
            code = "NUMBER_LINE_TYPE"
        elif region in self.refused_regions or (only and region not in only):
            code = "NUMBER_REGION"
        else:
            return None
        evidence = {"region": region, "line": line, "calling_code": phone.calling_code}
        return self.finding(code, evidence)
