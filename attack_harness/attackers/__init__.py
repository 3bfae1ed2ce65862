"""The attack families by name: those of the short day, and all of them."""

from __future__ import annotations

from .account_resets import AccountResets
from .adaptive import Adaptive
from .base import Attack, Family, Ground, Shot
from .bought_proof import BoughtProof
from .country_spray import CountrySpray
from .flash import Flash
from .hidden_in_promotion import HiddenInPromotion
from .ipv6_walk import Ipv6Walk
from .low_and_slow import LowAndSlow
from .poisoning import Poisoning
from .random_in_country import RandomInCountry
from .residential_rotation import ResidentialRotation
from .seed_simulator import SeedSimulator
from .sequential_block import SequentialBlock
from .shuffled_block import ShuffledBlock
from .spelling_tricks import SpellingTricks
from .warm_up import WarmUp


def _by_name(*families: Family) -> dict[str, Family]:
    return {family.name: family for family in families}


FAMILIES = _by_name(SequentialBlock(), Flash(), SeedSimulator(), ResidentialRotation())
"""The four that ``python -m attack_harness`` plays unless told otherwise, in order of the day."""

ALL_FAMILIES = FAMILIES | _by_name(
    ShuffledBlock(),
    LowAndSlow(),
    CountrySpray(),
    RandomInCountry(),
    Poisoning(),
    WarmUp(),
    HiddenInPromotion(),
    AccountResets(),
    Adaptive(),
    SpellingTricks(),
    Ipv6Walk(),
    BoughtProof(),
)
"""Everything that ``--attack`` can name."""

__all__ = [
    "ALL_FAMILIES",
    "FAMILIES",
    "AccountResets",
    "Adaptive",
    "Attack",
    "BoughtProof",
    "CountrySpray",
    "Family",
    "Flash",
    "Ground",
    "HiddenInPromotion",
    "Ipv6Walk",
    "LowAndSlow",
    "Poisoning",
    "RandomInCountry",
    "ResidentialRotation",
    "SeedSimulator",
    "SequentialBlock",
    "Shot",
    "ShuffledBlock",
    "SpellingTricks",
    "WarmUp",
]
