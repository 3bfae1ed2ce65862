from __future__ import annotations

from dataclasses import asdict

import pytest

from attack_harness.actors import draws
from attack_harness.attackers import ALL_FAMILIES, Flash, SequentialBlock
from attack_harness.benchmark.held_out import OF_FAMILY, drawn, starts
from attack_harness.clock import HOUR
from attack_harness.world import build


def test_parameters_are_drawn_anew_within_published_ranges() -> None:
    found = [drawn(SequentialBlock(), draws(seed, "parameters")) for seed in range(20)]
    for each in found:
        assert isinstance(each, SequentialBlock)
        assert 2 <= each.rate <= 20
        assert each.blocks in (1, 2, 3, 4)
        assert each.block_size in (1_000, 2_000, 5_000, 10_000)
    assert len({str(asdict(each)) for each in found}) == 20


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(Flash(), draws(1001, "x")) == drawn(Flash(), draws(1001, "x"))


def test_most_attacks_come_at_night() -> None:
    rng = draws(1, "starts")
    hours = [starts(rng) / HOUR for _ in range(1_000)]
    assert 0.7 < sum(hour < 6 for hour in hours) / 1_000 < 0.85
    assert max(hours) <= 20


@pytest.mark.parametrize("name", list(ALL_FAMILIES))
def test_whatever_is_drawn_can_be_planned(name: str) -> None:
    family = drawn(ALL_FAMILIES[name], draws(1001, name))
    (attack,) = build(1001, 3_000, [name], 0.2, families={name: family}).attacks
    assert attack.shots


def test_every_family_has_ranges_and_every_range_a_family() -> None:
    assert OF_FAMILY.keys() == ALL_FAMILIES.keys()
    for name, ranges in OF_FAMILY.items():
        assert ranges.keys() <= vars(ALL_FAMILIES[name]).keys()
