"""The attack families by name: those of the short day, and all of them."""

from __future__ import annotations

from .base import Attack, Family, Ground, Shot
from .flash import Flash
from .poisoning import Poisoning
from .residential_rotation import ResidentialRotation
from .seed_simulator import SeedSimulator
from .sequential_block import SequentialBlock

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (SequentialBlock(), Flash(), SeedSimulator(), ResidentialRotation())
}
"""The four that ``python -m attack_harness`` plays unless told otherwise, in order of the day."""

ALL_FAMILIES: dict[str, Family] = FAMILIES | {family.name: family for family in (Poisoning(),)}
"""Everything that ``--attack`` can name."""

__all__ = [
    "ALL_FAMILIES",
    "FAMILIES",
    "Attack",
    "Family",
    "Flash",
    "Ground",
    "Poisoning",
    "ResidentialRotation",
    "SeedSimulator",
    "SequentialBlock",
    "Shot",
]
