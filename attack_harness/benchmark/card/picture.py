"""The scorecard as one picture: who saves what, at what price for real users, and the targets."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no window, ever

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ...figures import Table
from ..cells import CALM, OPEN
from ..defences import DEPLOYMENTS
from .colours import BAD, GOOD, INK, LINE, OTHER, PAPER, SOFT, STRIP, on, shade
from .words import figure, goal, limit, shares, worded

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "text.parse_math": False,  # a dollar is a dollar
    "text.color": INK,
    "axes.edgecolor": LINE,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
}
WRAP = 13
OVERALL = "overall"
PRICE = {
    "block_covered_p95": "Innocents per number",
    "recovery_p95": "Recovery",
}
"""What the saving costs those who are not attackers: the last lines of the table."""


def draw(scorecard: Table) -> bytes:
    """A picture of 1600 x 1000 pixels, as PNG; the same scorecard is the same file."""
    with mpl.rc_context(STYLE):
        paper = plt.figure(figsize=(16, 10), dpi=100, facecolor=PAPER)
        try:
            _headline(paper, scorecard)
            _heat(paper.add_axes((0.165, 0.075, 0.435, 0.545)), scorecard)
            _trade(paper.add_axes((0.675, 0.405, 0.285, 0.25)), scorecard)
            _targets(paper, scorecard)
            _footer(paper, scorecard)
            picture = io.BytesIO()
            paper.savefig(picture, format="png", metadata={"Software": None})
            return picture.getvalue()
        finally:
            plt.close(paper)


def cells_of(scorecard: Table, defence: str, row: str) -> Mapping[str, Any]:
    """One row of one defence under both price tables; empty if it was not measured."""
    found: Mapping[str, Any] = scorecard["defences"][defence]["results"].get(row, {}).get("all", {})
    return found


def value(figures: Mapping[str, Any], name: str) -> float | None:
    """One figure, or None."""
    found: float | None = figures[name]["value"] if name in figures else None
    return found


def rows(scorecard: Table) -> list[str]:
    """The attack families."""
    return [name for name in scorecard["families"] if name not in CALM]


def rivals(scorecard: Table) -> list[str]:
    """The defences, without the one that defends nothing and the guard set up half-way."""
    half = set(DEPLOYMENTS) - {scorecard["scored"]}
    return [name for name in scorecard["defences"] if name != OPEN and name not in half]


def deployments(scorecard: Table) -> list[str]:
    """The guard as people set it up, from the least to everything."""
    return [name for name in reversed(DEPLOYMENTS) if name in scorecard["defences"]]


def days(run: Table) -> str:
    """``10 days``."""
    number = len(run["seeds"])
    return f"{number} simulated day{'s' if number != 1 else ''}"


def _headline(paper: Figure, scorecard: Table) -> None:
    run, mine = scorecard["run"], cells_of(scorecard, scorecard["scored"], "overall")
    held_out = ", held-out seeds and parameters" if run["held_out"] else ""
    paper.text(0.04, 0.945, "SMS pumping: who stops it, and at whose cost", size=24, weight="bold")
    line = f"{len(rows(scorecard))} attack families, {days(run)} each{held_out}; "
    line += f"prices of {' and '.join(run['prices'])}; 95 % bootstrap intervals on the page"
    paper.text(0.04, 0.912, line, color=SOFT, size=12.5)
    strip = Rectangle((0, 0.755), 1, 0.125, transform=paper.transFigure, color=STRIP, zorder=-1)
    paper.add_artist(strip)
    tiles = (
        ("saved", "of the attacks’ cost saved", GOOD),
        ("saved_worst_family", "saved in the worst family", GOOD),
        ("block_messages_p50", "messages to notice a block attack", INK),
        ("harmed_share_all", "of real users refused a code", INK),
        ("attacker_profit_max", "profit of the best attack", INK),
    )
    for number, (name, label, colour) in enumerate(tiles):
        left = 0.04 + number * 0.192
        words = figure(name, mine.get(name))
        paper.text(left, 0.818, words, size=25, weight="bold", color=colour)
        paper.text(left, 0.78, label, size=11.5, color=SOFT)


def _heat(axes: Axes, scorecard: Table) -> None:
    lines, defences = [*rows(scorecard), OVERALL], rivals(scorecard)
    for x, defence in enumerate(defences):
        weight = "bold" if defence == scorecard["scored"] else "normal"
        for y, row in enumerate(lines):
            saved = value(cells_of(scorecard, defence, row), "saved")
            colour = STRIP if saved is None else shade(saved)
            axes.add_patch(Rectangle((x + 0.02, y + 0.03), 0.96, 0.94, color=colour, linewidth=0))
            _words(axes, x, y, worded("share", saved), color=on(colour), weight=weight)
        for y, name in enumerate(PRICE, len(lines)):
            words = figure(name, cells_of(scorecard, defence, OVERALL).get(name))
            _words(axes, x, y, words, color=SOFT, weight=weight)
    titles = [short(scorecard["families"][row]["title"]) for row in lines[:-1]]
    titles += ["All families", *PRICE.values()]
    names = [wrapped(scorecard["defences"][defence]["title"]) for defence in defences]
    axes.set_xlim(0, max(1, len(defences)))
    axes.set_ylim(len(titles), 0)
    axes.set_yticks([y + 0.5 for y in range(len(titles))], titles, color=INK)
    axes.set_xticks([x + 0.5 for x in range(len(defences))], names, color=INK)
    axes.xaxis.tick_top()
    axes.tick_params(length=0, pad=6)
    _bare(axes)
    axes.figure.text(0.04, 0.71, "Spend saved, by attack and defence", size=14, weight="bold")


def _words(axes: Axes, x: int, y: int, words: str, **style: Any) -> None:
    axes.text(x + 0.5, y + 0.5, words, ha="center", va="center", **style)


def _bare(axes: Axes) -> None:
    for spine in axes.spines.values():
        spine.set_visible(False)


def short(title: str) -> str:
    """A title without what it says in brackets."""
    return title.partition(" (")[0]


def wrapped(title: str) -> str:
    """A title in lines short enough for a column."""
    lines = [""]
    for word in title.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > WRAP:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


def _trade(axes: Axes, scorecard: Table) -> None:
    points = []
    for defence in rivals(scorecard):
        mine = cells_of(scorecard, defence, OVERALL)
        saved, harmed = value(mine, "saved"), value(mine, "harmed_share_all")
        if saved is not None and harmed is not None:
            points.append((harmed * 100, saved * 100, defence))
    widest = max([harmed for harmed, _, _ in points] + [0.1])
    for harmed, saved, y, defence in apart(points):
        scored = defence == scorecard["scored"]
        size, colour = (130, GOOD) if scored else (70, OTHER)
        axes.scatter([harmed], [saved], s=size, color=colour, zorder=3, clip_on=False)
        left = harmed < 0.6 * widest and not crowded(harmed, saved, points, widest)
        if left and any(0 < x - harmed < 0.3 * widest and abs(top - y) < 4 for x, top, _ in points):
            y += 6  # above the point that is in its way
        axes.text(
            harmed + (0.035 if left else -0.035) * widest,
            y,
            scorecard["defences"][defence]["title"],
            ha="left" if left else "right",
            va="center",
            size=10.5,
            color=GOOD if scored else SOFT,
            weight="bold" if scored else "normal",
        )
    title = "Money saved, and real users refused"
    axes.set_title(title, loc="left", size=14, weight="bold", pad=16, x=-0.105)
    axes.set_xlim(-0.03 * widest, widest * 1.1)
    axes.set_ylim(-4, 108)
    axes.set_yticks(range(0, 101, 25))
    axes.yaxis.set_major_formatter(lambda y, _: f"{y:.0f} %")
    axes.xaxis.set_major_formatter(lambda x, _: f"{x:g} %")
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(length=0)
    _bare(axes)


def crowded(
    harmed: float, saved: float, points: list[tuple[float, float, str]], widest: float
) -> bool:
    """Whether another point is where a label to the right would be."""
    return harmed > 0.3 * widest and any(
        0 < x - harmed < 0.45 * widest and abs(y - saved) < 9.0 for x, y, _ in points
    )


def apart(points: list[tuple[float, float, str]]) -> list[tuple[float, float, float, str]]:
    """The points with heights for their labels, so that no two labels meet."""
    found: list[tuple[float, float, float, str]] = []
    height = 200.0
    for harmed, saved, defence in sorted(points, key=lambda p: -p[1]):
        height = min(height - 9.0, saved)
        found.append((harmed, saved, height, defence))
    return found


def _targets(paper: Figure, scorecard: Table) -> None:
    targets = scorecard["targets"]
    met = sum(each["met"] is True for each in targets)
    paper.text(0.645, 0.335, f"Targets: {met} of {len(targets)} met", size=14, weight="bold")
    for number, each in enumerate(targets):
        y = 0.303 - number * 0.0222
        colour = {True: GOOD, False: BAD, None: SOFT}[each["met"]]
        mark = {True: "✓", False: "✗", None: "–"}[each["met"]]
        paper.text(0.645, y, mark, color=colour, size=12, weight="bold")
        paper.text(0.66, y, each["title"], size=10)
        paper.text(0.905, y, goal(each), size=10.5, weight="bold", ha="right", color=colour)
        paper.text(0.96, y, limit(each), size=10, ha="right", color=SOFT)


def _footer(paper: Figure, scorecard: Table) -> None:
    run = scorecard["run"]
    users = scorecard["summary"]["users"]
    line = (
        f"{run['cells']['finished']:,} plays of one simulated day · {users:,} visits of real users "
    )
    title = scorecard["defences"][scorecard["scored"]]["title"]
    line += f"behind {title} · code {run['code']['now']}"
    paper.text(0.04, 0.028, line, color=SOFT, size=10.5)
    if run["part"] < 1:
        note = f"quick run: attacks cut to {shares(run['part'])} of their time"
        paper.text(0.96, 0.028, note, color=BAD, size=10.5, ha="right")
