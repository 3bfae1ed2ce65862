"""What the guard is compared with: simple defences, each a few lines in front of the same app."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from ...money.plain_conversion import PlainConversion
from ...targets import AsgiApp
from ..cells import OPEN
from .country_cap import CountryCap
from .limits import Checklist, FixedPrefix, PerAddress

Around: TypeAlias = Callable[[AsgiApp, int], AsgiApp]
"""Puts a defence in front of an app that so many users a day visit."""


class Defence(NamedTuple):
    """How to build one, and what to call it."""

    title: str
    guard: bool = False
    around: Around | None = None


GUARD = "pumpguard"

DEFENCES: dict[str, Defence] = {
    OPEN: Defence("no defence"),
    GUARD: Defence("pumpguard", guard=True),
    "per_address": Defence("15 per hour and address", around=lambda app, _: PerAddress(app)),
    "checklist": Defence("checklist of limits", around=lambda app, _: Checklist(app)),
    "fixed_prefix": Defence("10 a day per 1,000 numbers", around=lambda app, _: FixedPrefix(app)),
    "plain_conversion": Defence("35 % conversion rule", around=lambda app, _: PlainConversion(app)),
    "country_cap": Defence("caps per country", around=CountryCap),
}


def knows_prices(defence: str) -> bool:
    """Whether another price table may change what it decides; of somebody's own, one cannot say."""
    return defence not in DEFENCES or DEFENCES[defence].guard


__all__ = ["DEFENCES", "GUARD", "Defence", "knows_prices"]
