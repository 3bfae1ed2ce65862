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
    """A country, a range or a block: what was refused and let through in the last hour, and what
    was refused now, by which rules."""

    kind: Literal["country", "range", "block"]
    name: str
    country: str
    refused: Amount = field(default_factory=Amount)
    now: Amount = field(default_factory=Amount)
    before: Amount = field(default_factory=Amount)
    """Refused in as many minutes before now."""
    sent: Amount = field(default_factory=Amount)
    minutes: set[int] = field(default_factory=set)
    """In which something was refused, by their start (Unix seconds)."""
    rules: Counter[str] = field(default_factory=Counter)
    parts: list[Place] = field(default_factory=list)
    others: int = 0
    """Parts that are not shown."""

    @property
    def since(self) -> int | None:
        """When it began, within the last hour: before that minute nothing was refused for ten."""
        begun = None
        for minute in sorted(self.minutes, reverse=True):
            if begun is not None and begun - minute > NOW * 60:
                break
            begun = minute
        return begun

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
    latest = max(view.minutes, default=0)
    countries: dict[str, Place] = {}
    for minute, seen in view.minutes.items():
        for name, by_action in seen.countries.items():
            place = countries.setdefault(name, Place("country", name, name))
            for action, amount in by_action.items():
                _count(place, action != "allow", amount, latest, minute)
    countries = {name: place for name, place in countries.items() if place.now.n >= FLOOR}
    refusing = {
        where for seen in view.minutes.values() for where, by_rule in seen.blocks.items()
        if where[0] in countries and by_rule.keys() != {""}
    }  # fmt: skip
    under = {(name, _range(block)) for name, block in refusing}
    ranges: dict[tuple[str, str], Place] = {}
    blocks: dict[tuple[str, str], Place] = {}
    for minute, seen in view.minutes.items():
        for (name, block), by_rule in seen.blocks.items():
            begins = _range(block)
            if (name, begins) not in under:  # nearly all that is let through
                continue
            whole = countries[name]
            part = ranges.get((name, begins)) or _part(ranges, whole, "range", begins)
            places = [part]
            if (name, block) in refusing:
                places.append(blocks.get((name, block)) or _part(blocks, part, "block", block))
            for rule, amount in by_rule.items():
                for each in places:
                    _count(each, bool(rule), amount, latest, minute)
                for each in (whole, *places) if rule else ():
                    each.rules[rule] += amount.n
    found = sorted(countries.values(), key=_most)[:COUNTRIES]
    for place in found:
        for part in place.parts:
            _cut(part, BLOCKS)
        _cut(place, RANGES)
    return Attack(found, _networks(view, latest) if found else [])


def _range(block: str) -> str:
    return block if block == OTHER else block[:-RANGE]


def _part(
    known: dict[tuple[str, str], Place], whole: Place, kind: Literal["range", "block"], name: str
) -> Place:
    """A new part of a country or range."""
    part = known[whole.country, name] = Place(kind, name, whole.country)
    whole.parts.append(part)
    return part


def _networks(view: FleetView, latest: int) -> list[tuple[str, str, Amount]]:
    """Those with the most refused dollars now, and their countries."""
    refused: dict[tuple[str, str], Amount] = {}
    for minute, seen in view.minutes.items():
        if latest - minute < NOW * 60:
            for where, amount in seen.networks.items():
                _plus(refused.setdefault(where, Amount()), amount)
    largest = sorted(refused.items(), key=lambda each: (-each[1].u, each[0]))
    return [(*place, amount) for place, amount in largest[:NETWORKS]]


def _count(place: Place, refused: bool, amount: Amount, latest: int, minute: int) -> None:
    if not refused:
        _plus(place.sent, amount)
        return
    _plus(place.refused, amount)
    place.minutes.add(minute)
    if latest - minute < NOW * 60:
        _plus(place.now, amount)
    elif latest - minute < 2 * NOW * 60:
        _plus(place.before, amount)


def _plus(to: Amount, amount: Amount) -> None:
    to.n += amount.n
    to.u += amount.u


def _cut(place: Place, most: int) -> None:
    place.parts.sort(key=_most)
    place.others = max(0, len(place.parts) - most)
    del place.parts[most:]


def _most(place: Place) -> tuple[int, int, str]:
    return -place.now.u, -place.refused.u, place.name
