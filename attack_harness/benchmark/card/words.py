"""The scorecard's figures in words, the same on the screen, in the picture and on the page."""

from __future__ import annotations

from collections.abc import Mapping

from ...figures import Table
from ...report.words import NBSP, dollars

NOTHING = "–"

KINDS = {
    "share": ("saved", "harmed_share", "challenged_share", "unnoticed_share", "attacker_stays"),
    "dollars": ("spend_", "before_dollars", "attacker_profit"),
    "seconds": ("delay", "leaves"),
    "minutes": ("recovery",),
    "times": ("covered", "block_covered"),
}
"""Units by the beginnings of figures' names; anything else is a plain number."""


def unit(name: str) -> str:
    """The unit of a figure."""
    return next((kind for kind, names in KINDS.items() if name.startswith(names)), "")


def figure(name: str, found: Mapping[str, float | None] | None) -> str:
    """A figure's value."""
    return worded(unit(name), found["value"] if found else None)


def worded(kind: str, value: float | None) -> str:
    """A value in its unit."""
    if value is None:
        return NOTHING
    if kind == "share":
        return shares(value)
    if kind == "dollars":
        return dollars(value)
    if kind == "seconds":
        return span(value)
    if kind == "minutes":
        return f"{value:.0f}{NBSP}min"
    if kind == "times":
        return f"{compact(value)}{NBSP}×"
    return compact(value)


def shares(value: float) -> str:
    """``98.7 %``; small shares keep two decimals, and only nothing is ``0 %``."""
    size = abs(value) * 100
    if size == 0 or size == 100:
        return f"{value * 100:.0f}{NBSP}%"
    if size < 0.005:
        return f"<{NBSP}0.01{NBSP}%"
    decimals = 2 if size < 1 or 99 < size < 100 else 1
    text = f"{value * 100:.{decimals}f}"
    return f">{NBSP}99.99{NBSP}%" if text == "100.00" else f"{text}{NBSP}%"


def compact(value: float) -> str:
    """``12``, ``0.9``, ``1,234``, ``62 k``, ``31 M``."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            return f"{value / (1e3 if letter == 'k' else size):,.0f}{NBSP}{letter}"
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:.1f}"


def span(seconds: float) -> str:
    """``0.6 s``, ``12 s``, ``5 min``, ``3 h 20 min``."""
    if seconds < 10:
        return f"{seconds:.1f}{NBSP}s" if seconds else f"0{NBSP}s"
    if seconds < 100:
        return f"{seconds:.0f}{NBSP}s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes}{NBSP}min"
    hours, rest = divmod(minutes, 60)
    return f"{hours}{NBSP}h" + (f"{NBSP}{rest}{NBSP}min" if rest else "")


def goal(each: Table) -> str:
    """What was measured of a target."""
    return worded(each["unit"], each["measured"])


def limit(each: Table) -> str:
    """A target: ``≥ 98.0 %``."""
    return f"{'≥' if each['at_least'] else '≤'}{NBSP}{worded(each['unit'], each['target'])}"


def interval(each: Table) -> str:
    """Its confidence interval, if there was more than one seed."""
    if each["low"] is None:
        return NOTHING
    low, high = (worded(each["unit"], each[end]) for end in ("low", "high"))
    return low if low == high else f"{low} … {high}"
