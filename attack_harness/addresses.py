"""Real client addresses by country, found in the same public registries that defenders read.

A fixed grid of IPv4 is looked up once (one address per /20, a quarter of a second); addresses are
then drawn from the country's blocks and each is looked up again, so that every address handed out
is of its country and belongs to no hosting provider, VPN or Tor exit that ``iporigin`` knows.
"""

from __future__ import annotations

import random
from collections import defaultdict
from functools import cache
from ipaddress import IPv4Address

import iporigin
import iptocc

BLOCK = 2**12
"""Addresses in a /20, small enough for small countries."""

MOST_BLOCKS = 600
"""Blocks kept per country: the United States have 393,000, and a few hundred are as good."""


@cache
def _blocks() -> dict[str, tuple[int, ...]]:
    """The first address of up to ``MOST_BLOCKS`` blocks of each country, spread over IPv4."""
    starts = list(range(1 << 24, 224 << 24, BLOCK))
    probes = [f"{s >> 24}.{s >> 16 & 255}.{s >> 8 & 255}.9" for s in starts]
    found: dict[str, list[int]] = defaultdict(list)
    for start, country in zip(starts, iptocc.country_code(probes), strict=True):
        if country is not None:
            found[country].append(start)
    return {
        country: tuple(blocks[:: -(-len(blocks) // MOST_BLOCKS)])
        for country, blocks in found.items()
    }


def known_countries() -> frozenset[str]:
    """The countries that addresses can be drawn for."""
    return frozenset(_blocks())


def is_residential(address: str, country: str) -> bool:
    """True if the registries place the address in the country and call it no data centre."""
    return _is(address, country, "unknown")


def _is(address: str, country: str, kind: str) -> bool:
    return (
        iptocc.country_code(address) == country and iporigin.classify(address).kind == kind  # type: ignore[no-untyped-call]
    )


def residential(country: str, rng: random.Random) -> str:
    """One residential address of the country."""
    return _drawn(country, "unknown", rng)


def hosting(country: str, rng: random.Random) -> str:
    """One address of a hosting provider in the country."""
    return _drawn(country, "hosting", rng)


def _drawn(country: str, kind: str, rng: random.Random) -> str:
    blocks = _blocks()[country]
    for _ in range(5_000):
        address = str(IPv4Address(rng.choice(blocks) + rng.randrange(1, BLOCK - 1)))
        if _is(address, country, kind):
            return address
    raise ValueError(f"found no such address in {country}: {kind}")


def anywhere(rng: random.Random) -> str:
    """Any address of the public internet, as a forged header would claim it."""
    while True:
        address = IPv4Address(rng.randrange(1 << 24, 224 << 24))
        if address.is_global:
            return str(address)
