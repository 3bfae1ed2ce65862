"""The figures to reach, and whether they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ...figures import Table
from ..defences import README, SEND_ONLY


class Goal(NamedTuple):
    """One figure to reach: where it stands in the results, and what it must not miss."""

    title: str
    row: str
    """``overall``, ``no_attack`` or ``crowds``."""
    figure: str
    limit: float
    at_least: bool = False
    unit: str = ""
    defence: str | None = None
    """Of which defence; by default of the one that is scored."""


GOALS = (
    Goal("spend saved, all families", "overall", "saved", 0.98, at_least=True, unit="share"),
    Goal("spend saved, worst family", "overall", "saved_worst_family", 0.92, True, "share"),
    Goal("messages before a block attack is refused, median", "overall", "block_messages_p50", 10),
    Goal("messages before a block attack is refused, 95 %", "overall", "block_messages_p95", 25),
    Goal("real users refused a code", "overall", "harmed_share_all", 0.001, unit="share"),
    Goal(
        "real users refused a code, worst subgroup",
        *("overall", "harmed_share_worst_group", 0.003),
        unit="share",
    ),
    Goal("real users refused, no attack", "no_attack", "harmed_share_all", 0.001, unit="share"),
    Goal(
        "real users challenged during an attack",
        *("overall", "challenged_share_during", 0.02),
        unit="share",
    ),
    Goal(
        "attacker’s profit, most profitable family",
        *("overall", "attacker_profit_max", 0.0),
        unit="dollars",
    ),
    Goal(
        "innocents refused per attacked number, 95 %",
        *("overall", "block_covered_p95", 20),
        unit="times",
    ),
    Goal("people there are served again, 95 %", "overall", "recovery_p95", 30, unit="minutes"),
    Goal("refused in the worst crowd", "crowds", "harmed_share_crowd_worst", 0.003, unit="share"),
    Goal("asked in the worst crowd", "crowds", "challenged_share_crowd_worst", 0.05, unit="share"),
    Goal("false alerts on the day of a crowd", "crowds", "false_alerts_worst", 0),
    Goal(
        "README’s first lines: refused in the worst crowd",
        *("crowds", "harmed_share_crowd_worst", 0.01, False, "share", README),
    ),
    Goal(
        "README’s first lines: saved, worst family",
        *("overall", "saved_worst_family", 0.95, True, "share", README),
    ),
    Goal(
        "send only: saved, worst family",
        *("overall", "saved_worst_family", 0.93, True, "share", SEND_ONLY),
    ),
)


def judged(
    defences: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Any]]]], scored: str
) -> list[Table]:
    """Every goal with what was measured; ``met`` is None where nothing was."""
    found = []
    for goal in GOALS:
        tables = defences.get(goal.defence or scored, {}).get(goal.row, {})
        found.append(_judged(goal, tables.get("all", {}).get(goal.figure)))
    return found


def _judged(goal: Goal, measured: Mapping[str, float | None] | None) -> Table:
    value = None if measured is None else measured["value"]
    met = None
    if value is not None:
        met = value >= goal.limit if goal.at_least else value <= goal.limit
    return {
        "title": goal.title,
        "figure": goal.figure,
        "row": goal.row,
        "defence": goal.defence,
        "target": goal.limit,
        "at_least": goal.at_least,
        "unit": goal.unit,
        "measured": value,
        "low": measured and measured["low"],
        "high": measured and measured["high"],
        "met": met,
    }
