"""The report as one picture, PNG: to be put into a message or a slide. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pumpguard.replay.figures import interval, moment
from pumpguard.replay.page import amounts
from pumpguard.replay.report import Report

SPENT, LEFT = "#c0392b", "#2471a3"
"""The colours of the page."""

MOST_RULES, MOST_DAYS = 10, 14
"""Rules that are shown, and dates on the axis."""


def picture(report: Report, path: Path) -> None:
    """Write it."""
    figure = Figure(figsize=(11, 7.5), layout="constrained")
    parts = figure.subplots(3, 1, height_ratios=[1.3, 3, 2])
    _head(parts[0], report)
    _days(parts[1], report)
    _rules(parts[2], report)
    figure.savefig(path, format="png", dpi=120)


def _head(axes: Axes, report: Report) -> None:
    """The figures, in words."""
    spent, left, share = amounts(report)
    lines = [
        f"{spent} {'spent' if report.priced else 'messages'}, {left} with this policy{share}",
        f"{report.journal.messages:,} messages, {moment(report.journal.first)} to "
        f"{moment(report.journal.last)}. {report.prices}",
    ]
    who = report.tally.customers
    if who.all:
        low, high = interval(who.refused, who.all)
        lines.append(
            f"{who.refused:,} of {who.all:,} customers refused (95 % interval {low:.2%} to "
            f"{high:.2%})" + (f", {who.asked:,} asked for proof" if report.challenge else "")
        )
    if report.episodes:
        usd = sum(each.usd for each in report.episodes)
        lines.append(f"Attack episodes (shaded): {len(report.episodes)}, ${usd:,.2f}")
    axes.axis("off")
    axes.text(0, 1, _literal(lines[0]), fontsize=20, va="top", transform=axes.transAxes)
    rest = _literal("\n".join(lines[1:]))
    axes.text(0, 0.55, rest, fontsize=10, va="top", transform=axes.transAxes)


def _days(axes: Axes, report: Report) -> None:
    """Two bars a day, and the attacks behind them."""
    tally, days = report.tally, sorted(report.tally.without)
    places = range(len(days))
    for sums, colour, shift, name in (
        (tally.without, SPENT, -0.2, "spent" if report.priced else "sent"),
        (tally.with_guard, LEFT, 0.2, "with this policy"),
    ):
        heights = [report.height(sums[day]) for day in days]
        axes.bar([place + shift for place in places], heights, 0.38, color=colour, label=name)
    for each in report.episodes:
        first, last = moment(each.start)[:10], moment(each.end)[:10]
        inside = [place for place, day in zip(places, days, strict=True) if first <= day <= last]
        for place in inside:
            axes.axvspan(place - 0.5, place + 0.5, color=SPENT, alpha=0.08, linewidth=0)
    step = max(1, len(days) // MOST_DAYS)
    axes.set_xticks(list(places)[::step], days[::step], fontsize=8)
    axes.set_title(f"{'USD' if report.priced else 'Messages'} by day", loc="left")
    axes.legend(frameon=False)


def _rules(axes: Axes, report: Report) -> None:
    """What the rules refused most of."""
    found = sorted(report.tally.by_rule.items(), key=lambda pair: report.height(pair[1]))
    shown = found[-MOST_RULES:]
    axes.barh([name for name, _ in shown], [report.height(each) for _, each in shown], color=LEFT)
    axes.set_title("Refused by rule" if shown else "Nothing was refused", loc="left")


def _literal(text: str) -> str:
    """Dollars are no formula."""
    return text.replace("$", r"\$")
