"""People behind addresses that they share: a relay, a campus, a carrier."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from functools import cache
from ipaddress import IPv4Address, IPv4Network
from typing import ClassVar

import iporigin

from ..addresses import residential
from ..clock import HOUR
from ..lookalikes import Neighbourhood
from ..population import User
from .base import CrowdDay, newcomers

RELAY = "Apple Private Relay"
RELAY_RANGES = ("172.224.224.0/19", "104.28.0.0/17", "146.75.128.0/17", "140.248.0.0/18")
"""Where its egress addresses lie; which of them are its own is asked of the packaged data."""

PER_RELAY_ADDRESS = 10


@dataclass(frozen=True)
class RelayUsers(CrowdDay):
    """An eighth of all users come through Apple's private relay, ten of a day behind an address.

    The registries place its addresses in the United States, wherever their users are.
    """

    share: float = 0.12
    name: ClassVar[str] = "relay"

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, some of them behind the relay."""
        rng = around.rng
        chosen = {u.number for u in around.people if rng.random() < self.share}
        pool = [relay_address(rng) for _ in range(1 + len(chosen) // PER_RELAY_ADDRESS)]
        return [
            self.marked(replace(user, address=rng.choice(pool))) if user.number in chosen else user
            for user in around.people
        ]


@cache
def _is_relay(address: str) -> bool:
    return iporigin.classify(address).provider == RELAY  # type: ignore[no-untyped-call,no-any-return]


def relay_address(rng: random.Random) -> str:
    """One address of the relay."""
    while True:
        network = IPv4Network(rng.choice(RELAY_RANGES))
        address = str(IPv4Address(rng.randrange(int(network[0]), int(network[-1]))))
        if _is_relay(address):
            return address


@dataclass(frozen=True)
class Campus(CrowdDay):
    """Freshers' week: 200 people in 20 minutes behind one address that nobody has seen."""

    country: str = "GB"
    count: int = 200
    seconds: float = 1_200.0
    starts: float = 10 * HOUR
    name: ClassVar[str] = "campus"

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, and the campus."""
        rng = around.rng
        times = [self.starts + rng.uniform(0, self.seconds) for _ in range(self.count)]
        address = residential(self.country, rng)
        return [*around.people, *newcomers(around, self.name, self.country, times, address=address)]


@dataclass(frozen=True)
class CarrierNat(CrowdDay):
    """A carrier's gateway at home and one abroad, new to the app, with hundreds behind each."""

    countries: tuple[str, ...] = ("GB", "BR")
    each: int = 300
    hours: tuple[float, float] = (8.0, 22.0)
    name: ClassVar[str] = "carrier_nat"

    def people(self, around: Neighbourhood) -> list[User]:
        """The usual users, and the carriers' through the day."""
        found = list(around.people)
        for country in self.countries:
            rng, (low, high) = around.rng, self.hours
            times = [rng.uniform(low, high) * HOUR for _ in range(self.each)]
            behind = replace_people(around, found)
            address = residential(country, rng)
            found += newcomers(behind, self.name, country, times, address=address)
        return found


def replace_people(around: Neighbourhood, people: list[User]) -> Neighbourhood:
    """The same draws among other people."""
    return around._replace(people=tuple(people))
