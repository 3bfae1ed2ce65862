"""What the guard is compared with: simple defences, each a few lines in front of the same app."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from ...money.plain_conversion import PlainConversion
from ...targets import AsgiApp
from ..cells import OPEN
from .country_cap import CountryCap
from .deployment import Deployment
from .limits import Checklist, FixedPrefix, PerAddress

Around: TypeAlias = Callable[[AsgiApp, int], AsgiApp]
"""Puts a defence in front of an app that so many users a day visit."""


class Defence(NamedTuple):
    """How to build one, and what to call it."""

    title: str
    guard: Deployment | None = None
    around: Around | None = None


GUARD, README, SEND_ONLY = "pumpguard", "readme", "send_only"
"""Everything wired up; the first lines of README; and the least that a guard needs."""

DEFENCES: dict[str, Defence] = {
    OPEN: Defence("no defence"),
    GUARD: Defence("pumpguard", Deployment(home=True, verify=True, challenge=True)),
    "per_address": Defence("15 per hour and address", around=lambda app, _: PerAddress(app)),
    "checklist": Defence("checklist of limits", around=lambda app, _: Checklist(app)),
    "fixed_prefix": Defence("10 a day per 1,000 numbers", around=lambda app, _: FixedPrefix(app)),
    "plain_conversion": Defence("35 % conversion rule", around=lambda app, _: PlainConversion(app)),
    "country_cap": Defence("caps per country", around=CountryCap),
    SEND_ONLY: Defence("send only", Deployment()),
    "home": Defence("and home", Deployment(home=True)),
    "home_challenge": Defence("send, home, challenge", Deployment(home=True, challenge=True)),
    README: Defence("README's first lines", Deployment(readme=True)),
}

DEPLOYMENTS = tuple(name for name, each in DEFENCES.items() if each.guard)
"""The guard, as people set it up."""


def knows_prices(defence: str) -> bool:
    """Whether another price table may change what it decides; of somebody's own, one cannot say."""
    return defence not in DEFENCES or DEFENCES[defence].guard is not None


__all__ = [
    "DEFENCES", "DEPLOYMENTS", "GUARD", "README", "SEND_ONLY", "Defence", "Deployment",
    "knows_prices",
]  # fmt: skip
