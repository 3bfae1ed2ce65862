"""The scorecard as one self-contained page."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from ...crowds import CROWDS
from ...figures import Table
from ..cells import CALM, NO_ATTACK, OPEN
from ..people import SUBGROUPS
from .colours import on, shade
from .picture import cells_of, days, deployments, rivals, rows, short
from .published import SET_UP
from .svg import TABLES, Line, Mark, logarithmic, plot, straight
from .words import figure, goal, interval, limit, worded

DETAILS = {
    "spend_without": "spend without",
    "spend_with": "with",
    "saved": "saved",
    "before_messages_p50": "messages unnoticed, median",
    "before_messages_p95": "95 %",
    "before_dollars_p50": "dollars unnoticed, median",
    "delay_p50": "detected after",
    "attacker_profit": "attacker’s profit",
    "leaves_p50": "he leaves after",
    "harmed_share_all": "users refused",
    "challenged_share_during": "challenged meanwhile",
    "recovery_p50": "recovery",
    "covered_p50": "innocent numbers per attacked one",
}
"""The columns of the families' table."""

SIDE_BY_SIDE = {
    "saved": "saved",
    "saved_worst_family": "worst family",
    "block_messages_p50": "messages before a block attack is refused, median",
    "block_messages_p95": "95 %",
    "attacker_profit_max": "best attack’s profit",
    "harmed_share_all": "users refused",
    "harmed_share_worst_group": "worst subgroup",
    "challenged_share_during": "challenged during attacks",
    "block_covered_p95": "innocent numbers per attacked one, 95 %",
    "recovery_p95": "recovery, 95 %",
}


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    words = {"goal": goal, "limit": limit, "interval": interval, "shade": shade, "on": on}
    environment.filters.update(words)
    environment.globals.update(
        figure=figure, worded=worded, cells_of=cells_of, span=range_words, days=days, short=short
    )
    return environment.get_template("page.html")


def range_words(name: str, found: Mapping[str, Any] | None) -> str:
    """A figure's confidence interval, for those who point at it."""
    if not found or found["low"] is None:
        return ""
    ends = [figure(name, {"value": found[end]}) for end in ("low", "high")]
    return f"95 % interval: {ends[0]} to {ends[1]}"


def render(scorecard: Table) -> str:
    """The page, with its plots inside."""
    return _template().render(
        card=scorecard,
        rows=rows(scorecard),
        rivals=rivals(scorecard),
        details=DETAILS,
        side_by_side=SIDE_BY_SIDE,
        groups=("all", "during", *SUBGROUPS),
        no_attack=NO_ATTACK,
        calm=[n for n in CALM if n in scorecard["families"] and n not in CROWDS],
        crowds=[name for name in CROWDS if name in scorecard["families"]],
        deployments=deployments(scorecard),
        set_up=SET_UP,
        nothing=OPEN,
        saved=_saved(scorecard),
        noticed=_noticed(scorecard),
        colours=dict(zip(scorecard["run"]["prices"], TABLES, strict=False)),
    )


def _saved(scorecard: Table) -> str:
    """The share saved in each family, with its interval, under each price table."""
    lines, lowest = [], 1.0
    for family in rows(scorecard):
        results = scorecard["defences"][scorecard["scored"]]["results"].get(family, {})
        marks = []
        for prices, colour in zip(scorecard["run"]["prices"], TABLES, strict=False):
            found = results.get(prices, {}).get("saved")
            if found and found["value"] is not None:
                marks.append(_mark(found, colour))
                lowest = min(lowest, marks[-1].low)
        words = figure("saved", results.get("all", {}).get("saved"))
        lines.append(Line(short(scorecard["families"][family]["title"]), marks, words))
    ticks = steps(lowest)
    return plot(lines, straight(ticks[0], 1.0), [(tick, f"{tick * 100:.0f} %") for tick in ticks])


def steps(lowest: float) -> list[float]:
    """Round ticks from just below the lowest share up to 1, at most six of them."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2) if lowest >= 1 - 5 * s or s == 0.2)
    first = max(0, math.floor(lowest / step + 1e-9))
    return [round(n * step, 2) for n in range(first, round(1 / step) + 1)]


def _noticed(scorecard: Table) -> str:
    """Messages before the first refusal: the median, up to the 95th percentile."""
    found, highest = [], 10.0
    for family in rows(scorecard):
        mine = cells_of(scorecard, scorecard["scored"], family)
        ends = [mine.get(f"before_messages_p{part}", {}).get("value") for part in (50, 95)]
        if None not in ends:
            highest = max(highest, ends[1])
            found.append((short(scorecard["families"][family]["title"]), *ends))
    lines = [
        Line(title, [Mark(p50, p50, p95)], f"{p50:.0f} · {p95:.0f}") for title, p50, p95 in found
    ]
    ticks = [(float(t), f"{t:,}") for t in (0, 1, 10, 100, 1_000, 10_000) if t <= highest * 1.5]
    return plot(lines, logarithmic(max(highest, ticks[-1][0])), ticks)


def _mark(found: Mapping[str, Any], colour: str) -> Mark:
    value = found["value"]
    low, high = (value if found[end] is None else found[end] for end in ("low", "high"))
    return Mark(low, value, high, colour)
