from __future__ import annotations

import random

import pytest

from attack_harness.actors import draws
from attack_harness.benchmark.attacked import Attacked
from attack_harness.benchmark.rings import Ring, covered, rings
from attack_harness.benchmark.visitors import MINUTES, Visitors, invite
from attack_harness.numbering import is_mobile, largest_carrier, mobile_blocks

(BLOCK,) = mobile_blocks(largest_carrier("AZ"), 1, 1_000, random.Random(1))
SEQUENTIAL = Attacked.by(BLOCK)
SPARSE = Attacked.by(BLOCK[::10])
SCATTERED = Attacked.by([f"+4479{n:08d}" for n in range(0, 10**8, 10**7)])


def test_the_attacked_block_is_the_narrowest_that_the_attack_fills() -> None:
    assert (SEQUENTIAL.digits, SEQUENTIAL.size, SEQUENTIAL.is_block) == (2, 1_000, True)
    assert (SPARSE.digits, SPARSE.size) == (3, 1_000)


def test_scattered_numbers_are_no_block() -> None:
    assert (SCATTERED.digits, SCATTERED.size, SCATTERED.is_block) == (0, 10, False)
    assert (Attacked.by(()).digits, Attacked.by(()).size) == (0, 0)


def test_the_attacked_countries_are_those_of_the_numbers() -> None:
    both = Attacked.by([*BLOCK[:30], "+447400123456"])
    assert both.countries == ("AZ", "GB")
    assert both.abroad == {"AZ"}


def test_rings_are_drawn_outside_of_each_other_and_of_the_attack() -> None:
    found = list(rings(SEQUENTIAL, 3, random.Random(1), frozenset()))
    # The block is full: nobody else lives in the blocks of 1,000 around it.
    assert found[0].digits == 4
    for ring in found:
        inside = SEQUENTIAL.prefixes(ring.digits - 1)
        for number in ring.drawn:
            assert is_mobile(number)
            assert number[: 1 - ring.digits] not in inside
            assert number[: -ring.digits] in SEQUENTIAL.prefixes(ring.digits)
    assert found[0].numbers == 9_000


def test_covered_numbers_are_estimated_from_those_who_were_refused() -> None:
    near, far = Ring(4, 9_000, ("a", "b")), Ring(5, 90_000, ("c", "d"))
    told = covered(SEQUENTIAL, [(near, [False, False]), (far, [True, False])])
    assert told["innocent_numbers"] == 9_000 + 45_000
    assert told["per_blocked_number"] == 54.0
    assert told["rings"] == [[4, 9_000, 2, 2], [5, 90_000, 2, 1]]


@pytest.fixture
def visitors() -> Visitors:
    return invite(SEQUENTIAL, 1_000.0, 2, draws(1, "visitors"), SEQUENTIAL.phones)


def test_visitors_are_real_people_who_come_when_it_is_over(visitors: Visitors) -> None:
    everybody = list(visitors.starts())
    assert min(start.at for start in everybody) >= 1_020
    outcomes = [o for _, ring in visitors.ringed for o in ring]
    outcomes += [v.outcome for v in visitors.visits]
    phones = [o.user.phone for o in outcomes]
    assert len(phones) == len(set(phones))
    assert not set(phones) & SEQUENTIAL.phones
    assert {v.minutes for v in visitors.visits} == set(MINUTES)
    assert {v.outcome.user.country for v in visitors.visits} == {"AZ"}


def test_recovery_is_when_everybody_is_served_again(visitors: Visitors) -> None:
    def refused_at(*minutes: int) -> object:
        for visited in visitors.visits:
            visited.outcome.got_code_at = None if visited.minutes in minutes else 1.0
        return visitors.recovery()["recovery_minutes"]

    assert refused_at() == 0
    assert refused_at(6, 10) == 15
    assert refused_at(30) == 45
    assert refused_at(1_440) is None


def test_nobody_comes_after_a_day_without_an_attack() -> None:
    nobody = invite(Attacked.by(()), 0.0, 3, draws(1, "visitors"), frozenset())
    assert list(nobody.starts()) == []
    assert nobody.recovery()["recovery_minutes"] == 0
