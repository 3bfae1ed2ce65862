"""The day's real users behind one defence, by group."""

from __future__ import annotations

from collections.abc import Sequence

from ..countries import ABROAD
from ..crowds import CROWDS
from ..figures import Table
from ..lookalikes import LOOKALIKES
from ..user import Outcome
from .attacked import Attacked

SMALL_WEIGHT = 2
"""Countries that weigh no more than this among those abroad are *small*."""

SMALL = frozenset(code for code, country in ABROAD.items() if country.weight <= SMALL_WEIGHT)
SUBGROUPS = ("cgnat", "offices", "travellers", "small_countries", "attacked_countries")
GROUPS = ("all", "during", *SUBGROUPS, "lookalike", "crowd")
"""``during`` came while an attack was on, or in the ten minutes after it; ``lookalike`` are those
who look like an attack on a day that has such, ``crowd`` those whom the day of a crowd is about,
and ``all`` holds them as well."""

LINGERS = 600.0


def people_entry(
    outcomes: Sequence[Outcome],
    attacked: Attacked,
    when: tuple[float, float] | None,
    about: str | None = None,
) -> Table:
    """Each group: how many, who was challenged, and by number who never got a code."""
    groups = {name: list[Outcome]() for name in GROUPS}
    for outcome in outcomes:
        for name in _groups(outcome, attacked, when, about):
            groups[name].append(outcome)
    return {name: _group(members) for name, members in groups.items()}


def _groups(
    outcome: Outcome,
    attacked: Attacked,
    when: tuple[float, float] | None,
    about: str | None,
) -> Sequence[str]:
    user = outcome.user
    member = about in user.groups
    holds = {
        "all": True,
        "during": when is not None and when[0] <= user.at <= when[1] + LINGERS,
        "cgnat": "cgnat" in user.groups,
        "offices": "office" in user.groups,
        "travellers": "traveller" in user.groups,
        "small_countries": user.country in SMALL,
        "attacked_countries": user.country in attacked.abroad,
        "lookalike": member and about in LOOKALIKES,
        "crowd": member and about in CROWDS,
    }
    return [name for name, holds_user in holds.items() if holds_user]


def _group(members: Sequence[Outcome]) -> Table:
    return {
        "people": len(members),
        "unserved": [o.user.number for o in members if not o.got_code],
        "challenged": sum(o.challenged for o in members),
        "refused_once": sum(o.refused > 0 for o in members),
    }
