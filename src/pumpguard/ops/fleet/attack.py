"""What is under attack now: where refused dollars gather, as a tree to open."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from pumpguard.ops.fleet.period import Amount
from pumpguard.ops.fleet.tally import OTHER
from pumpguard.ops.fleet.view import FleetView

NOW = 10
"""Minutes that are now: the window in which the rule `send_spike` looks for a spike as well."""

FLOOR = 10
"""Refused requests within them, below which nothing is called an attack."""

RANGE = 2
"""Digits that a range of 100,000 numbers has less than its blocks of 1,000."""

COUNTRIES, RANGES, BLOCKS, NETWORKS, RULES = 8, 6, 8, 8, 4
"""How many are shown, those with the most refused dollars first."""


@dataclass
class Place:
    """A country, a range or a block: what was refused in the last hour and now, what was let
    through, since when (Unix seconds; of the hour that is looked at), by which rules."""

    kind: Literal["country", "range", "block"]
    name: str
    country: str
    refused: Amount = field(default_factory=Amount)
    now: Amount = field(default_factory=Amount)
    before: Amount = field(default_factory=Amount)
    """Refused in as many minutes before now."""
    sent: Amount = field(default_factory=Amount)
    since: int | None = None
    rules: Counter[str] = field(default_factory=Counter)
    parts: list[Place] = field(default_factory=list)
    others: int = 0
    """Parts that are not shown."""

    @property
    def rises(self) -> bool:
        return self.now.u > self.before.u

    @property
    def by(self) -> list[str]:
        """The rules that have refused most."""
        return [rule for rule, _ in self.rules.most_common(RULES)]

    @property
    def digits(self) -> bool:
        """Whether its name is that of one block or range, which can be denied."""
        return self.kind != "country" and self.name != OTHER


@dataclass
class Attack:
    """Where refused dollars gather now; no places where there is nothing of note."""

    places: list[Place]
    networks: list[tuple[str, str, Amount]]

    @property
    def refused(self) -> Amount:
        """All of it, now."""
        return Amount(sum(p.now.n for p in self.places), sum(p.now.u for p in self.places))

    @property
    def since(self) -> int | None:
        return min((p.since for p in self.places if p.since is not None), default=None)


def attack(view: FleetView) -> Attack:
    """What is under attack, by the last hour."""
    blocks: dict[tuple[str, str], Place] = {}
    latest = max(view.minutes, default=0)
    for minute, seen in view.minutes.items():
        ago = (latest - minute) // 60
        for (country, block), by_rule in seen.blocks.items():
            place = blocks.setdefault((country, block), Place("block", block, country))
            for rule, amount in by_rule.items():
                _count(place, rule, amount, ago, minute)
    countries: dict[str, Place] = {}
    for (country, block), place in blocks.items():
        whole = countries.setdefault(country, Place("country", country, country))
        _join(whole, place)
        name = block if block == OTHER else block[:-RANGE]
        part = next((p for p in whole.parts if p.name == name), None)
        if part is None:
            part = Place("range", name, country)
            whole.parts.append(part)
        _join(part, place)
        part.parts.append(place)
    found = [p for p in countries.values() if p.now.n >= FLOOR]
    for place in found:
        for part in place.parts:
            _cut(part, BLOCKS)
        _cut(place, RANGES)
    found.sort(key=_most)
    refused: dict[tuple[str, str], Amount] = {}
    for minute, seen in view.minutes.items():
        if latest - minute < NOW * 60:
            for where, amount in seen.networks.items():
                _plus(refused.setdefault(where, Amount()), amount)
    networks = sorted(refused.items(), key=lambda each: (-each[1].u, each[0]))
    shown = [(*place, amount) for place, amount in networks[:NETWORKS]] if found else []
    return Attack(found[:COUNTRIES], shown)


def _count(place: Place, rule: str, amount: Amount, ago: int, minute: int) -> None:
    if not rule:
        _plus(place.sent, amount)
        return
    _plus(place.refused, amount)
    place.rules[rule] += amount.n
    if place.since is None:
        place.since = minute
    if ago < NOW:
        _plus(place.now, amount)
    elif ago < 2 * NOW:
        _plus(place.before, amount)


def _join(whole: Place, part: Place) -> None:
    for name in ("refused", "now", "before", "sent"):
        _plus(getattr(whole, name), getattr(part, name))
    whole.rules.update(part.rules)
    starts = [each for each in (whole.since, part.since) if each is not None]
    whole.since = min(starts, default=None)


def _plus(to: Amount, amount: Amount) -> None:
    to.n += amount.n
    to.u += amount.u


def _cut(place: Place, most: int) -> None:
    place.parts.sort(key=_most)
    place.others = max(0, len(place.parts) - most)
    del place.parts[most:]


def _most(place: Place) -> tuple[int, int, str]:
    return -place.now.u, -place.refused.u, place.name
