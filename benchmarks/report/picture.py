"""The results as one picture of 1600 x 900 pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl

mpl.use("Agg")  # no window, ever

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ..kit.stats import Table
from .words import Added, micro, ranked

INK, SOFT, LINE, PAPER = "#1f2933", "#61707f", "#dfe5eb", "#ffffff"
OURS, FLOOR, EIGHT, ONE = "#0b7a6b", "#8fa1b3", "#d9694f", "#ecb9a8"
LEAST = 1.0

STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 12,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "ytick.major.size": 0,
    "xtick.major.size": 0,
    "xtick.minor.size": 0,
}


def draw(results: Table) -> bytes:
    """The picture as PNG."""
    with mpl.rc_context(STYLE):
        figure = plt.figure(figsize=(16, 9), dpi=100, facecolor=PAPER)
        try:
            _headline(figure, results)
            _costs(figure.add_axes((0.178, 0.115, 0.395, 0.685)), ranked(results["in_process"]))
            if "far_redis" in results:
                _far(figure.add_axes((0.76, 0.52, 0.2, 0.28)), results["far_redis"])
            if "growth" in results:
                _growth(figure.add_axes((0.66, 0.115, 0.3, 0.24)), results["growth"])
            picture = io.BytesIO()
            figure.savefig(picture, format="png", metadata={"Software": None})
            return picture.getvalue()
        finally:
            plt.close(figure)


def _headline(figure: Figure, results: Table) -> None:
    about, bare = results["about"], results["in_process"]["bare"]["concurrent"]["microseconds"]
    figure.text(0.04, 0.935, "What a guarded request costs", size=22, weight="bold")
    figure.text(
        0.04, 0.895,
        f"Time added to a FastAPI request of {bare['median']:.0f} µs: 64 at once, in one process, "
        "over one Redis. pumpguard reads the body, the phone and the country; no peer does.",
        color=SOFT, size=13,
    )  # fmt: skip
    packages = about["packages"]
    figure.text(
        0.04, 0.03,
        f"Medians and quartiles of interleaved rounds · {about['machine']} · {about['server']} · "
        f"Python {about['python']} · FastAPI {packages['fastapi']} · {about['at'][:10]}"
        f"{' · quick run' if about['quick'] else ''}",
        color=SOFT, size=10.5,
    )  # fmt: skip


def _colour(each: Added) -> str:
    if each.kind == "peer":
        return EIGHT if each.limits > 1 else ONE
    return OURS if each.kind == "ours" else FLOOR


def _costs(axes: Axes, systems: Sequence[Added]) -> None:
    for row, each in enumerate(systems):
        middle, low, high = (max(LEAST, v) for v in (each.median, each.low, each.high))
        axes.barh(row, middle - LEAST, left=LEAST, height=0.62, color=_colour(each))
        axes.plot((low, high), (row, row), color=INK, linewidth=1, alpha=0.55, zorder=3)
        axes.annotate(
            micro(each.median), (max(middle, high), row), xytext=(6, 0),
            textcoords="offset points", va="center", size=11,
            color=_colour(each) if each.kind == "ours" else SOFT,
            weight="bold" if each.kind == "ours" else "normal",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1},
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(LEAST, max(each.high for each in systems) * 2.2)
    axes.set_ylim(len(systems) - 0.4, -0.6)
    axes.set_yticks(range(len(systems)), [each.title for each in systems], size=11.5)
    for label, each in zip(axes.get_yticklabels(), systems, strict=True):
        if each.kind == "ours":
            label.set(color=OURS, weight="bold")
    axes.xaxis.set_major_formatter(lambda value, _: micro(value))
    axes.grid(axis="x", color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines["bottom"].set_visible(False)
    _title(axes, "Added per request, logarithmic", left=-0.348)
    _legend(axes)


def _legend(axes: Axes) -> None:
    """Say what the colours are, where the bars are short and leave room."""
    words = (("pumpguard", OURS), ("floor", FLOOR), ("eight limits", EIGHT), ("one limit", ONE))
    for line, (word, colour) in enumerate(words):
        axes.annotate(
            f"■ {word}", (1, 1), xycoords="axes fraction", xytext=(-96, -20 - 20 * line),
            textcoords="offset points", color=colour, size=11, weight="bold",
        )  # fmt: skip


def _far(axes: Axes, far: Table) -> None:
    systems = sorted(far["systems"].items(), key=lambda pair: pair[1]["pings"]["median"])
    for row, (name, each) in enumerate(systems):
        colour = {"pumpguard": OURS, "floor": FLOOR}.get(name, ONE if "_1" in name else EIGHT)
        value = each["pings"]["median"]
        axes.barh(row, value, height=0.62, color=colour)
        axes.annotate(
            f"{value:.1f}", (value, row), xytext=(6, 0), textcoords="offset points", va="center",
            size=11, color=OURS if name == "pumpguard" else SOFT,
            weight="bold" if name == "pumpguard" else "normal",
        )  # fmt: skip
    titles = [each["title"] for _, each in systems]
    axes.set_yticks(range(len(systems)), titles, size=11)
    for label, (name, _) in zip(axes.get_yticklabels(), systems, strict=True):
        if name == "pumpguard":
            label.set(color=OURS, weight="bold")
    axes.set_ylim(len(systems) - 0.4, -0.6)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    ping = far["ping_microseconds"]["median"] / 1_000
    _title(axes, f"Added when a PING takes {ping:.1f} ms, in PINGs", left=-0.5)


def _growth(axes: Axes, growth: Table) -> None:
    counts = [int(name) for name in growth["rules"]]
    spreads = [each["added_microseconds"] for each in growth["rules"].values()]
    middles = [each["median"] for each in spreads]
    axes.fill_between(
        counts, [each["low"] for each in spreads], [each["high"] for each in spreads],
        color=OURS, alpha=0.14, linewidth=0,
    )  # fmt: skip
    axes.plot(counts, middles, color=OURS, linewidth=2.4, marker="o", markersize=6)
    for count, middle in zip(counts, middles, strict=True):
        axes.annotate(
            micro(middle), (count, middle), xytext=(0, 11), textcoords="offset points",
            ha="center", size=11, color=OURS, weight="bold",
        )  # fmt: skip
    axes.set_xlim(0, max(counts) + 1)
    axes.set_ylim(0, max(each["high"] for each in spreads) * 1.3)
    axes.set_xticks(counts, [f"{n} rule{'s' * (n > 1)}" for n in counts])
    axes.set_yticks([])
    axes.tick_params(axis="x", pad=8)
    _title(axes, "Added by so many rules")


def _title(axes: Axes, words: str, left: float = 0.0) -> None:
    axes.annotate(
        words, (left, 1), xycoords="axes fraction", xytext=(0, 14), textcoords="offset points",
        size=14, weight="bold",
    )  # fmt: skip
