"""The attack families, by name, in the order of the simulated day."""

from __future__ import annotations

from .base import Attack, Family, Ground, Shot
from .flash import Flash
from .residential_rotation import ResidentialRotation
from .seed_simulator import SeedSimulator
from .sequential_block import SequentialBlock

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (SequentialBlock(), Flash(), SeedSimulator(), ResidentialRotation())
}

__all__ = [
    "FAMILIES",
    "Attack",
    "Family",
    "Flash",
    "Ground",
    "ResidentialRotation",
    "SeedSimulator",
    "SequentialBlock",
    "Shot",
]
