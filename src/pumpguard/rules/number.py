"""What kind of number it is, before anything is counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Literal, Self

from pumpguard.attempt import Attempt, LineType
from pumpguard.counters import Reading
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import ActionName, Rule

PAID_LINES: tuple[LineType, ...] = (
    "premium", "shared_cost", "pager", "uan", "voicemail", "satellite",
)  # fmt: skip

PEOPLE, LEAST, SHARE = 128, 8, 0.06
"""Of each country: how many people are remembered, and how many of them, and which part, must have
typed a number that the plan does not allocate until it is taken for older than the country's
numbers. No source: twice the 3 % who mistype a digit so that nobody has the number; after Benin's
change in 2024 one in ten typed the old form."""


class Number(Rule):
    """Refuses numbers that nobody receives a code on.

    That is: ranges that the numbering plan does not allocate, ``refused_lines`` (premium, satellite
    and their like) and ``refused_regions``. ``only_regions``, if given, refuses all others.

    ``unallocated`` may be false, or ``"challenge"``, which asks for proof instead. So it is of
    itself in a country whose numbers have just changed: as soon as several people there, and a
    share of all, have typed one (`PlanAge`), unless ``plan_ages`` is off. Being asked gives no
    strike.
    """

    refused_lines: Sequence[LineType] = PAID_LINES
    refused_regions: Sequence[str] = ()
    only_regions: Sequence[str] = ()
    unallocated: bool | Literal["challenge"] = True
    plan_ages: bool = True
    action: ActionName = "block"
    weight: float = 2.0

    @cached_property
    def _plan_age(self) -> PlanAge:
        return PlanAge()

    def without_challenge(self) -> Self:
        # A message to a number that nobody has is paid for and reaches nobody.
        return replace(self, unallocated=bool(self.unallocated), plan_ages=False)

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        phone, action = attempt.phone, self.effect
        line, region, only = phone.line_type, phone.region, self.only_regions
        changed = self.plan_ages and self.unallocated is True and self._plan_age.too_old(attempt)
        if line == "satellite" and line in self.refused_lines:
            code = "NUMBER_SATELLITE"
        elif line in self.refused_lines:
            code = "NUMBER_LINE_TYPE"
        elif region in self.refused_regions or (only and region not in only):
            code = "NUMBER_REGION"
        elif self.unallocated and not phone.valid:
            code = "NUMBER_UNALLOCATED"
            if changed or self.unallocated == "challenge":
                action = min(action, Action.CHALLENGE)
        else:
            return None
        evidence = {"region": region, "line": line, "calling_code": phone.calling_code}
        return self.finding(code, evidence, action=action)


class PlanAge:
    """Whether a country has numbers that the numbering plan here does not know yet.

    Kept by each process for itself. A person is a session at an address, and counts once, however
    many numbers it asks for: a sequence of numbers from one address changes nothing.
    """

    def __init__(self) -> None:
        self._people: dict[str | None, dict[int, bool]] = {}

    def too_old(self, attempt: Attempt) -> bool:
        """Remember whether this person's number is allocated; whether its country's often are not.

        Whoever has typed an unallocated number has, though the next one may be right.
        """
        phone, network = attempt.phone, attempt.client.network
        people = self._people.setdefault(phone.region, {})
        if network is not None:
            person = hash((network, attempt.session))
            people[person] = people.get(person, False) or not phone.valid
            if len(people) > PEOPLE:
                people.pop(next(iter(people)), None)
        if phone.valid:
            return False
        unallocated = sum(people.values())
        return unallocated >= max(LEAST, SHARE * len(people))
