"""What holds for every family of attacks."""

from __future__ import annotations

import pytest

from attack_harness.attackers import ALL_FAMILIES, FAMILIES
from attack_harness.clock import DAY

from .planning import ground, people, planned

NAMES = list(ALL_FAMILIES)


def test_there_are_fifteen_families_and_the_seeds_own_attack() -> None:
    assert len(ALL_FAMILIES) == 16
    assert list(ALL_FAMILIES)[: len(FAMILIES)] == list(FAMILIES)
    assert list(FAMILIES) == ["sequential_block", "flash", "seed_simulator", "residential_rotation"]


@pytest.mark.parametrize("name", NAMES)
def test_its_key_in_the_registry_is_its_name_and_its_attacks(name: str) -> None:
    assert ALL_FAMILIES[name].name == planned(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_it_says_where_its_parameters_come_from(name: str) -> None:
    assert len((type(ALL_FAMILIES[name]).__doc__ or "").split()) > 30


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_into_the_day(name: str) -> None:
    attack = planned(name)
    assert attack.shots
    assert 0 <= attack.starts <= attack.ends < DAY


@pytest.mark.parametrize("name", NAMES)
def test_its_requests_are_in_order(name: str) -> None:
    times = [shot.after for shot in planned(name).shots]
    assert times == sorted(times)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_draws_plan_the_same_attack_and_others_another(name: str) -> None:
    assert ALL_FAMILIES[name].plan(ground(name)) == planned(name)
    assert ALL_FAMILIES[name].plan(ground(name, seed=2)).phones != planned(name).phones


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_for_nobodys_number_except_its_victims(name: str) -> None:
    taken = frozenset(sorted(planned(name).phones)[::10]) - people()
    attack = ALL_FAMILIES[name].plan(ground(name, taken=taken))
    assert not (attack.phones - attack.victims) & (taken | people())
    assert attack.victims <= people()


@pytest.mark.parametrize("name", NAMES)
def test_it_only_asks_for_numbers_it_may_ask_for(name: str) -> None:
    attack = planned(name)
    assert {shot.phone for shot in attack.shots} <= attack.phones


@pytest.mark.parametrize("name", NAMES)
def test_shortened_it_asks_less(name: str) -> None:
    part = ALL_FAMILIES[name].shortened(0.1).plan(ground(name))
    assert 0 < len(part.shots) <= 0.2 * len(planned(name).shots)
