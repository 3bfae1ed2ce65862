from __future__ import annotations

from collections import Counter
from itertools import pairwise

import iporigin
import iptocc
import phonenumbers
import pytest

from attack_harness.actors import Call, Reply, Wait, draws
from attack_harness.attackers import (
    FAMILIES,
    Attack,
    Flash,
    Ground,
    ResidentialRotation,
    SeedSimulator,
    SequentialBlock,
)
from attack_harness.attackers.base import SOLVING_TAKES, bot
from attack_harness.clock import HOUR

CHALLENGED = Reply(0.0, 403, {"type": "https://fake.example/problems/challenge"})


@pytest.fixture(scope="module")
def plans() -> dict[str, Attack]:
    return {name: family.plan(Ground(draws(1, name))) for name, family in FAMILIES.items()}


def test_the_sequential_block_walks_two_blocks_of_one_carrier(plans: dict[str, Attack]) -> None:
    attack = plans["sequential_block"]
    numbers = [int(shot.phone) for shot in attack.shots]
    steps = Counter(b - a for a, b in pairwise(numbers))
    assert len(numbers) == 9_000
    assert steps[1] == len(numbers) - 2  # one jump, between the two blocks
    assert all(shot.phone.startswith("+994") for shot in attack.shots)


def test_the_sequential_block_keeps_its_rate_and_addresses(plans: dict[str, Attack]) -> None:
    attack = plans["sequential_block"]
    assert attack.shots[50].after == pytest.approx(10.0)
    assert attack.ends - attack.starts == pytest.approx(1_800, abs=1)
    origins = {shot.address for shot in attack.shots}
    assert len(origins) == 50
    assert {iptocc.country_code(origin) for origin in origins} == {"AZ"}


def test_the_flash_lasts_three_minutes_at_65_a_second(plans: dict[str, Attack]) -> None:
    attack = plans["flash"]
    assert len(attack.shots) == 65 * 180
    assert attack.ends - attack.starts == pytest.approx(180, abs=0.1)
    assert attack.starts == 5 * HOUR
    per_second = Counter(int(shot.after) for shot in attack.shots)
    assert set(per_second.values()) <= {64, 65, 66}


def test_the_flash_comes_mostly_from_one_address_in_palestine(plans: dict[str, Attack]) -> None:
    attack = plans["flash"]
    origins = Counter(shot.address for shot in attack.shots)
    (_, most), *others = origins.most_common()
    assert most / len(attack.shots) == pytest.approx(0.95, abs=0.01)
    assert len(others) == 4
    assert {iptocc.country_code(origin) for origin in origins} == {"PS"}
    assert attack.proxy_cost == 0


def test_the_flash_asks_for_distinct_numbers_in_myanmar(plans: dict[str, Attack]) -> None:
    attack = plans["flash"]
    assert len(attack.phones) == len(attack.shots)
    assert all(phone.startswith("+95") for phone in attack.phones)
    assert all(int(b) - int(a) != 1 for a, b in pairwise([s.phone for s in attack.shots][:500]))


def test_the_seed_simulator_has_its_own_four_parameters(plans: dict[str, Attack]) -> None:
    attack, family = plans["seed_simulator"], SeedSimulator()
    assert (family.requests_per_second, family.concurrent_workers) == (20, 5)
    assert (family.duration_seconds, family.phone_reuse_ratio) == (15, 0.7)
    assert len(attack.shots) == 20 * 5 * 15
    assert attack.ends - attack.starts < 15
    assert 1 - len(attack.phones) / len(attack.shots) == pytest.approx(0.7, abs=0.04)
    assert len({shot.address for shot in attack.shots}) > 1_490


def test_the_seed_simulator_makes_up_ten_digits_after_five_codes(
    plans: dict[str, Attack],
) -> None:
    codes = Counter(phone[:-10] for phone in plans["seed_simulator"].phones)
    assert set(codes) == {"+1", "+52", "+54", "+56", "+57"}
    assert min(codes.values()) > 50


def test_rotation_uses_each_address_once_or_twice(plans: dict[str, Attack]) -> None:
    attack = plans["residential_rotation"]
    origins = Counter(shot.address for shot in attack.shots)
    assert len(origins) == 3_000
    assert set(origins.values()) == {1, 2}
    for origin in list(origins)[::30]:
        assert iptocc.country_code(origin) == "BD"
        assert iporigin.classify(origin).kind == "unknown"  # type: ignore[no-untyped-call]


def test_rotation_shuffles_numbers_of_four_blocks(plans: dict[str, Attack]) -> None:
    attack = plans["residential_rotation"]
    assert len({phone[:-4] for phone in attack.phones}) == 4
    assert len(attack.phones) == len(attack.shots)
    assert len(attack.shots) / (attack.ends - attack.starts) == pytest.approx(2.0, rel=0.1)
    numbers = [int(shot.phone) for shot in attack.shots]
    assert sum(abs(b - a) == 1 for a, b in pairwise(numbers)) < 10


@pytest.mark.parametrize("name", ["sequential_block", "flash", "residential_rotation"])
def test_rented_numbers_are_valid(name: str, plans: dict[str, Attack]) -> None:
    for shot in plans[name].shots[::101]:
        assert phonenumbers.is_valid_number(phonenumbers.parse(shot.phone))


@pytest.mark.parametrize("name", list(FAMILIES))
def test_shots_are_in_order_and_the_same_every_time(name: str, plans: dict[str, Attack]) -> None:
    times = [shot.after for shot in plans[name].shots]
    assert times == sorted(times)
    assert FAMILIES[name].plan(Ground(draws(1, name))) == plans[name]
    assert FAMILIES[name].plan(Ground(draws(2, name))).phones != plans[name].phones


@pytest.mark.parametrize("name", list(FAMILIES))
def test_attacks_never_use_numbers_that_somebody_owns(name: str, plans: dict[str, Attack]) -> None:
    owned = frozenset(sorted(plans[name].phones)[::10])
    assert not FAMILIES[name].plan(Ground(draws(1, name), owned)).phones & owned


@pytest.mark.parametrize(
    "family", [SequentialBlock(), Flash(), SeedSimulator(), ResidentialRotation()]
)
def test_a_shortened_attack_keeps_its_rate(
    family: SequentialBlock | Flash | SeedSimulator | ResidentialRotation,
    plans: dict[str, Attack],
) -> None:
    full, part = plans[family.name], family.shortened(0.1).plan(Ground(draws(1, family.name)))
    assert len(part.shots) == pytest.approx(len(full.shots) / 10, rel=0.15)
    full_rate = len(full.shots) / (full.ends - full.starts)
    assert len(part.shots) / (part.ends - part.starts) == pytest.approx(full_rate, rel=0.15)


def test_a_bot_that_buys_solutions_tries_once_more_as_a_human(plans: dict[str, Attack]) -> None:
    attack = plans["residential_rotation"]
    actor = bot(attack, attack.shots[0], 0)
    first = next(actor)
    assert isinstance(first, Call)
    assert not first.human
    wait = actor.send(CHALLENGED)
    assert isinstance(wait, Wait)
    assert SOLVING_TAKES[0] <= wait.seconds <= SOLVING_TAKES[1]
    assert actor.send(Reply(9.0)) == first._replace(human=True)
    with pytest.raises(StopIteration):
        actor.send(CHALLENGED)


@pytest.mark.parametrize("reply", [CHALLENGED, Reply(0.0, 429), Reply(0.0, 202)])
def test_other_bots_fire_once_whatever_happens(reply: Reply, plans: dict[str, Attack]) -> None:
    actor = bot(plans["flash"], plans["flash"].shots[0], 0)
    next(actor)
    with pytest.raises(StopIteration):
        actor.send(reply)
