"""Attack parameters for the final run, drawn within published ranges.

Nobody has seen these draws while a threshold was being chosen. The ranges are those of the
incidents: rented blocks hold 1,000 to 10,000 numbers, floods run at 2 to 80 messages a second, 300
to 5,000 residential addresses are used once or twice each, 30 to 70 % of the codes are entered.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeAlias, TypeVar

from .. import addresses
from ..attackers import CountrySpray
from ..clock import HOUR
from ..countries import ABROAD, HOME
from ..numbering import carrier_ranges

Draw: TypeAlias = Callable[[random.Random], Any]
F = TypeVar("F")

RISKY = (
    *("AZ", "BD", "DZ", "IL", "BY", "EG", "ID", "IQ", "JO"),
    *("KG", "KZ", "LK", "MM", "NG", "OM", "PK", "PS", "TJ"),
)
"""On at least three of the four high-risk lists that are published (and Myanmar's incident)."""

NIGHT, NIGHT_PRIOR = (0.0, 6 * HOUR), 0.7
LARGE = 10_000
RANGES_NEEDED = 4
DEAR = 30


def starts(rng: random.Random) -> float:
    """Seven of ten attacks come at night, the others at any time; none so late that it is cut."""
    low, high = NIGHT if rng.random() < NIGHT_PRIOR else (0.0, 20 * HOUR)
    return round(rng.uniform(low, high))


def country(rng: random.Random) -> str:
    """A risky country in which blocks can be rented from one carrier."""
    while True:
        drawn = rng.choice(RISKY)
        if drawn in addresses.known_countries() and _room(drawn):
            return drawn


def _room(region: str) -> bool:
    carriers = carrier_ranges(region).values()
    large = max((sum(r.size >= LARGE for r in ranges) for ranges in carriers), default=0)
    most = max(carriers, key=len, default=[])
    return large >= RANGES_NEEDED and sum(r.size >= LARGE for r in most) >= RANGES_NEEDED


def dear(rng: random.Random) -> str:
    """One of the dearest countries in which numbers and addresses can be rented."""
    return rng.choice([name for name, _ in CountrySpray(countries=DEAR).dearest()])


def between(low: float, high: float) -> Draw:
    """A real number."""
    return lambda rng: round(rng.uniform(low, high), 3)


def whole(low: int, high: int) -> Draw:
    """A whole number."""
    return lambda rng: rng.randint(low, high)


def _home(rng: random.Random) -> str:
    return rng.choice(sorted(HOME))


def _market(rng: random.Random) -> str:
    """A country that is not a home one, and that nobody rents numbers in by preference."""
    return rng.choice(sorted(ABROAD.keys() - set(RISKY)))


EVERYWHERE: Mapping[str, Draw] = {"starts": starts}
OF_FAMILY: Mapping[str, Mapping[str, Draw]] = {
    "sequential_block": {
        "country": country,
        "blocks": whole(1, 4),
        "block_size": lambda rng: rng.choice((1_000, 2_000, 5_000, 10_000)),
        "rate": between(2, 20),
        "addresses": whole(20, 300),
    },
    "flash": {"country": country, "rate": between(50, 80), "main_address_share": between(0.5, 1)},
    "seed_simulator": {
        "requests_per_second": between(5, 40),
        "concurrent_workers": whole(2, 8),
        "phone_reuse_ratio": between(0.3, 0.9),
    },
    "residential_rotation": {
        "country": country,
        "addresses": whole(300, 5_000),
        "blocks": whole(1, 4),
        "block_size": lambda rng: rng.choice((5_000, 10_000)),
        "rate": between(0.5, 5),
    },
    "poisoning": {"verified": between(0.3, 0.7), "rate": between(0.2, 1)},
    "shuffled_block": {
        "country": country,
        "blocks": whole(1, 4),
        "block_size": lambda rng: rng.choice((2_000, 5_000, 10_000)),
        "rate": between(2, 17),
        "addresses": whole(50, 500),
    },
    "low_and_slow": {"country": country, "per_minute": between(1, 6), "starts": between(0, 0)},
    "country_spray": {"countries": whole(10, 40), "rate": between(0.5, 5)},
    "ipv6_walk": {"countries": whole(10, 40), "rate": between(0.5, 5)},
    "random_in_country": {"country": country, "rate": between(1, 10)},
    "warm_up": {"waiting": between(HOUR, 6 * HOUR), "rate": between(2, 10)},
    "hidden_in_promotion": {
        "starts": between(8 * HOUR, 20 * HOUR),  # nobody promotes anything at night
        "country": country,
        "share": between(0.1, 0.3),
        "behind": between(2, 30),
        "addresses": whole(50, 300),
    },
    "account_resets": {
        "accounts": whole(200, 800),
        "resets": whole(5, 20),
        "every": between(120, 600),
    },
    "adaptive": {
        "rate": between(1, 5),
        "patience": whole(1, 5),
        "workers": whole(5, 40),
        "addresses": whole(20, 80),
    },
    "spelling_tricks": {
        "country": country,
        "numbers": whole(100, 400),
        "every": between(60, 300),
        "odd_paths": between(0, 0.2),
    },
    "bought_proof": {
        "country": dear,
        "every": between(60, 120),
        "starts": between(0, 0),
    },
}


CROWD_STARTS: Mapping[str, Draw] = {"starts": between(8 * HOUR, 20 * HOUR)}
OF_CROWD: Mapping[str, Mapping[str, Draw]] = {
    "launch": {"country": _home, "factor": between(6, 10), "seconds": between(1_800, 3_600)},
    "big_launch": {"country": _home, "factor": between(15, 20), "seconds": between(1_800, 3_600)},
    "attacked_launch": {
        "country": _home,
        "factor": between(6, 10),
        "attack_country": country,
        "share": between(0.1, 0.3),
    },
    "new_market": {"country": _market, "share": between(0.2, 0.6)},
    "relay": {"share": between(0.05, 0.2)},
    "campus": {"country": _home, "count": whole(150, 250), "seconds": between(900, 1_500)},
    "carrier_nat": {"countries": lambda rng: (_home(rng), _market(rng)), "each": whole(200, 400)},
    "coming_back": {"visits": whole(1, 3)},
    "slow_provider": {"seconds": between(HOUR, 6 * HOUR)},
    "one_country": {"country": _home, "finish": between(0.6, 0.85)},
    "broken_provider": {"seconds": between(900, 1_800)},
}


def drawn(family: F, rng: random.Random) -> F:
    """The family, or the day of a crowd, with its parameters drawn anew, as far as it has them."""
    if not is_dataclass(family) or isinstance(family, type):
        return family
    has = {field.name for field in fields(family) if field.init}
    name = family.name  # type: ignore[attr-defined] # whatever is drawn has one
    of_crowd = OF_CROWD.get(name)
    ranges = (
        {**EVERYWHERE, **OF_FAMILY.get(name, {})}
        if of_crowd is None
        else {**CROWD_STARTS, **of_crowd}
    )
    found = {name: draw(rng) for name, draw in ranges.items() if name in has}
    return replace(family, **found)
