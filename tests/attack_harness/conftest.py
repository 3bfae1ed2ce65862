"""A small day that all tests of the harness share."""

from __future__ import annotations

import pytest

from attack_harness.attackers import FAMILIES
from attack_harness.world import World, build


@pytest.fixture(scope="session")
def small_day() -> World:
    """All four attacks, shortened, and a few hundred users."""
    return build(seed=7, users=300, names=tuple(FAMILIES), part=0.03)
