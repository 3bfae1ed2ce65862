"""Real people who come when an attack is over: to see whom the defence still refuses, and until
when.

They own numbers near the attacked ones, or anywhere in the attacked countries, call from addresses
of their own, solve what they are asked to, and enter their codes.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import phonenumbers

from .. import addresses
from ..actors import Start
from ..countries import HOME
from ..figures import Table
from ..numbering import mobile_number
from ..population import Patience, User
from ..user import Outcome, visit
from .attacked import Attacked
from .rings import Ring, covered, rings

AFTER = "after"
"""The visitors' side in the log."""

SPREAD = (20.0, 260.0)
"""Seconds after the attack in which the people of the rings come, one by one."""

MINUTES = (6, 10, 15, 20, 25, 30, 45, 60, 90, 120, 180, 360, 720, 1_440)
"""After the attack: when somebody of an attacked country and somebody of a block come."""

PATIENT = Patience(True, 13.5, (70.0, 80.0, 90.0), True, 8.0, True)


class Visit(NamedTuple):
    """Somebody who comes to see whether people are served again."""

    minutes: int
    outcome: Outcome


@dataclass
class Visitors:
    """All of one play."""

    attacked: Attacked
    ringed: list[tuple[Ring, list[Outcome]]] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def starts(self) -> Iterator[Start]:
        """Everybody, ready to come."""
        everybody = [outcome for _, ring in self.ringed for outcome in ring]
        everybody += [visited.outcome for visited in self.visits]
        for outcome in everybody:
            yield Start(outcome.user.at, AFTER, visit(outcome))

    def recovery(self) -> Table:
        """Minutes until everybody who comes is served; None if somebody was not to the last."""
        refused = [v.minutes for v in self.visits if not v.outcome.got_code]
        since = [m for m in MINUTES if m > max(refused, default=0)]
        return {
            "recovery_minutes": 0 if not refused else (since[0] if since else None),
            "refused_at_minutes": sorted(set(refused)),
            "challenged": sum(v.outcome.challenged for v in self.visits),
            "visits": len(self.visits),
        }

    def covered(self) -> Table:
        """How many innocent numbers the defence refused right after the attack."""
        served = [(ring, [o.got_code for o in outcomes]) for ring, outcomes in self.ringed]
        return covered(self.attacked, served)


def invite(
    attacked: Attacked, ends: float, each: int, rng: random.Random, owned: frozenset[str]
) -> Visitors:
    """Draw the visitors of an attack that ends at a moment, ``each`` for every ring."""
    found = Visitors(attacked)
    taken = set(owned)
    drawn = list(rings(attacked, each, rng, owned))
    taken.update(phone for ring in drawn for phone in ring.drawn)
    for ring in drawn:
        found.ringed.append(
            (ring, [_person(p, ends + rng.uniform(*SPREAD), rng) for p in ring.drawn])
        )
    near = _near(attacked, drawn, len(MINUTES), rng, frozenset(taken))
    for number, minutes in enumerate(MINUTES):
        phones = [*near[number : number + 1], *_compatriot(attacked, number, rng, taken)]
        for phone in phones:
            at = ends + 60.0 * minutes + rng.uniform(0, 20)
            found.visits.append(Visit(minutes, _person(phone, at, rng)))
    return found


def _near(
    attacked: Attacked, drawn: Sequence[Ring], count: int, rng: random.Random, taken: frozenset[str]
) -> list[str]:
    """Neighbours of the attacked blocks: people of the narrowest ring that has any."""
    if not drawn:
        return []
    ring = next(rings(attacked, count, rng, taken), drawn[0])
    near = list(ring.drawn)
    rng.shuffle(near)
    return near


def _compatriot(
    attacked: Attacked, number: int, rng: random.Random, taken: set[str]
) -> Iterator[str]:
    """Somebody of an attacked country, abroad by preference, a different one each time."""
    countries = sorted(attacked.abroad) or sorted(attacked.countries)
    if not countries:
        return
    try:
        phone = mobile_number(countries[number % len(countries)], rng)
    except ValueError:  # a country without mobile numbers of its own
        return
    if phone not in taken:
        taken.add(phone)
        yield phone


def _person(phone: str, at: float, rng: random.Random) -> Outcome:
    """Somebody with a number, at home."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(phone)) or ""
    here = region if region in addresses.known_countries() else rng.choice(sorted(HOME))
    address = addresses.residential(here, rng)
    typed = ({"phone": phone},) * 3
    return Outcome(User(0, round(at, 3), region, phone, address, frozenset(), typed, PATIENT))
