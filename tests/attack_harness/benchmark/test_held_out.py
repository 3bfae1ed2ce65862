from __future__ import annotations

from dataclasses import asdict

import pytest

from attack_harness.actors import draws
from attack_harness.attackers import ALL_FAMILIES, Flash, Ground, SequentialBlock
from attack_harness.benchmark.held_out import OF_FAMILY, drawn, starts
from attack_harness.clock import HOUR


def test_parameters_are_drawn_anew_within_published_ranges() -> None:
    found = [drawn(SequentialBlock(), draws(seed, "parameters")) for seed in range(20)]
    for each in found:
        assert isinstance(each, SequentialBlock)
        assert 2 <= each.rate <= 20
        assert each.blocks in (1, 2, 3, 4)
        assert each.block_size in (1_000, 2_000, 5_000, 10_000)
    assert len({str(asdict(each)) for each in found}) == 20  # type: ignore[call-overload]


def test_the_same_seed_draws_the_same() -> None:
    assert drawn(Flash(), draws(1001, "x")) == drawn(Flash(), draws(1001, "x"))


def test_most_attacks_come_at_night() -> None:
    rng = draws(1, "starts")
    hours = [starts(rng) / HOUR for _ in range(1_000)]
    assert 0.7 < sum(hour < 6 for hour in hours) / 1_000 < 0.85
    assert max(hours) <= 20


@pytest.mark.parametrize("name", [name for name in OF_FAMILY if name in ALL_FAMILIES])
def test_whatever_is_drawn_can_be_planned(name: str) -> None:
    for seed in range(1001, 1004):
        family = drawn(ALL_FAMILIES[name], draws(seed, name)).shortened(0.02)
        assert family.plan(Ground(draws(seed, name))).shots


def test_every_range_belongs_to_a_family() -> None:
    for name, ranges in OF_FAMILY.items():
        if name in ALL_FAMILIES:
            assert ranges.keys() <= vars(ALL_FAMILIES[name]).keys()
