"""The scorecard as one picture."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no window, ever

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..clock import HOUR
from ..figures import Table
from .words import count, dollars, percent

INK, SOFT, LINE, PAPER = "#1f2933", "#61707f", "#dfe5eb", "#ffffff"
WITHOUT, WITH, BAND = "#d9694f", "#0b7a6b", "#f4efe6"
STRIP = "#f5f7f9"

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.parse_math": False,  # a dollar is a dollar
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "ytick.major.size": 0,
}


def draw(scorecard: Table) -> bytes:
    """Everything in one picture of 1600 x 900 pixels, as PNG."""

    def everything(figure: Figure) -> None:
        _headline(figure, scorecard)
        _day(figure.add_axes((0.078, 0.125, 0.525, 0.50)), scorecard)
        _bars(figure.add_axes((0.705, 0.125, 0.255, 0.50)), scorecard)
        _footer(figure, scorecard)

    return _png((16, 9), everything)


def draw_parts(scorecard: Table) -> tuple[bytes, bytes]:
    """The curve of the day and the bars of the attacks, each a picture for a narrow page."""
    return (
        _png((9, 5.6), lambda figure: _day(figure.add_axes((0.09, 0.1, 0.79, 0.77)), scorecard)),
        _png(
            (5.6, 5.6), lambda figure: _bars(figure.add_axes((0.04, 0.02, 0.92, 0.85)), scorecard)
        ),
    )


def _png(inches: tuple[float, float], paint: Callable[[Figure], None]) -> bytes:
    with mpl.rc_context(STYLE):
        figure = plt.figure(figsize=inches, dpi=100, facecolor=PAPER)
        try:
            paint(figure)
            picture = io.BytesIO()
            # Without metadata the same scorecard is the same file.
            figure.savefig(picture, format="png", metadata={"Software": None})
            return picture.getvalue()
        finally:
            plt.close(figure)


def _headline(figure: Figure, scorecard: Table) -> None:
    s = scorecard["summary"]
    figure.text(0.04, 0.94, "SMS pumping, without and with pumpguard", size=22, weight="bold")
    figure.text(
        0.04, 0.9, "One simulated day of attacks and real users, played twice", color=SOFT, size=13
    )
    tiles = (
        (percent(s["saved"]), "of the attacks’ cost saved", WITH),
        (
            f"{dollars(s['attack_spend_without'])} → {dollars(s['attack_spend_with'])}",
            "paid for the attackers’ messages",
            INK,
        ),
        (
            f"{count(s['users_harmed'])} of {count(s['users'])}",
            f"real users harmed; {count(s['users_challenged'])} challenged",
            WITHOUT if s["users_harmed"] else WITH,
        ),
        (
            f"{count(s['messages_before_first_refusal'])} messages",
            f"({dollars(s['spend_before_first_refusal'])}) before the first refusals",
            INK,
        ),
    )
    strip = Rectangle((0, 0.725), 1, 0.135, transform=figure.transFigure, color=STRIP, zorder=-1)
    figure.add_artist(strip)
    for left, (headline, label, colour) in zip((0.04, 0.25, 0.52, 0.745), tiles, strict=True):
        figure.text(left, 0.795, headline, size=25, weight="bold", color=colour)
        figure.text(left, 0.755, label, size=12.5, color=SOFT)


def _day(axes: Axes, scorecard: Table) -> None:
    timeline = scorecard["timeline"]
    hours = [n * timeline["step_seconds"] / HOUR for n in range(len(timeline["without"]))]
    top = max(*timeline["without"], 1.0) * 1.22
    for attack in scorecard["attacks"].values():
        _band(axes, attack, top)
    for name, colour, strength in (("without", WITHOUT, 0.16), ("with", WITH, 0.30)):
        axes.plot(hours, timeline[name], color=colour, linewidth=2.4, zorder=3)
        axes.fill_between(
            hours, timeline[name], color=colour, alpha=strength, zorder=2, linewidth=0
        )
    _ends(axes, timeline, top)
    axes.set_title(
        "Spend over the day, users’ messages included", loc="left", size=14, pad=14, weight="bold"
    )
    axes.set_xlim(0, hours[-1])
    axes.set_ylim(0, top)
    ticks = range(0, round(hours[-1]) + 1, 4 * round(hours[-1] / 24))
    axes.set_xticks(ticks, [f"{hour % 24 or min(hour, 24):02d}:00" for hour in ticks])
    axes.yaxis.set_major_formatter(lambda value, _: f"${value:,.0f}")
    axes.grid(axis="y", color=LINE, linewidth=0.8, zorder=0)
    axes.tick_params(axis="x", pad=9)
    axes.set_axisbelow(True)


def _band(axes: Axes, attack: Table, top: float) -> None:
    """The time of one attack, never thinner than can be seen, with its name above."""
    begins, ends = attack["starts_seconds"] / HOUR, attack["ends_seconds"] / HOUR
    axes.axvspan(begins, max(ends, begins + 0.12), color=BAND, zorder=1, linewidth=0)
    axes.axvline(begins, color="#c9bda9", linewidth=1, zorder=1)
    title = attack["title"].replace(" ", "\n")
    axes.text(begins + 0.12, top * 0.985, title, size=10, color="#8a7654", va="top")


def _ends(axes: Axes, timeline: Table, top: float) -> None:
    """Say what the lines are where they end, kept apart."""
    without, with_guard = timeline["without"][-1], timeline["with"][-1]
    low, high = with_guard, max(without, with_guard + 0.07 * top)
    for y, value, colour in ((high, without, WITHOUT), (low, with_guard, WITH)):
        axes.annotate(
            dollars(value),
            (1, y),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            color=colour,
            size=12.5,
            weight="bold",
            va="center",
        )


def _bars(axes: Axes, scorecard: Table) -> None:
    attacks = list(scorecard["attacks"].values())
    longest = max([a["without"]["spend"] for a in attacks] + [0.01])
    for row, attack in enumerate(attacks):
        open_, shut = attack["without"]["spend"], attack["with"]["spend"]
        axes.barh(row - 0.13, open_, height=0.24, color=WITHOUT, alpha=0.85)
        axes.barh(row + 0.13, shut, height=0.24, color=WITH)
        pad = longest * 0.02
        axes.text(open_ + pad, row - 0.13, dollars(open_), va="center", size=11, color=WITHOUT)
        axes.text(shut + pad, row + 0.13, dollars(shut), va="center", size=11, color=WITH)
        axes.text(0, row - 0.35, attack["title"], size=11.5, va="center")
        axes.text(
            1,
            row - 0.35,
            f"{percent(attack['saved'])} saved",
            transform=axes.get_yaxis_transform(),
            size=11.5,
            ha="right",
            va="center",
            weight="bold",
        )
    axes.set_title("Spend per attack", loc="left", size=14, pad=14, weight="bold")
    axes.set_ylim(max(len(attacks), 1) - 0.4, -0.55)
    axes.set_xlim(0, longest * 1.2)
    axes.set_yticks([])
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def _footer(figure: Figure, scorecard: Table) -> None:
    figure.text(0.04, 0.035, "■ without a guard", color=WITHOUT, size=12.5)
    figure.text(0.165, 0.035, "■ with pumpguard", color=WITH, size=12.5)
    run = scorecard["run"]
    prices = run["prices"]
    said = [f"times in UTC, seed {run['seed']}"]
    if prices:
        said.append(f"prices: {prices['source']} {prices['date']}")
    figure.text(0.96, 0.035, " · ".join(said), color=SOFT, size=10.5, ha="right")
