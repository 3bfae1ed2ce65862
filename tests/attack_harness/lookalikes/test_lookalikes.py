"""The four false positives that Elastic names, as users whom a defence can harm."""

from __future__ import annotations

from collections import Counter

import iporigin
import pytest

from attack_harness.actors import draws
from attack_harness.clock import DAY, HOUR, MIDNIGHT
from attack_harness.lookalikes import LOOKALIKES, Neighbourhood
from attack_harness.population import User, population
from attack_harness.world import build

PEOPLE = tuple(population(seed=2, size=300))


def visits(name: str) -> list[User]:
    return LOOKALIKES[name].users(Neighbourhood(draws(1, name), PEOPLE))


def kind(user: User) -> str:
    return str(iporigin.classify(user.address).kind)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("name", list(LOOKALIKES))
def test_each_is_a_group_of_its_own_behind_one_address(name: str) -> None:
    found = visits(name)
    assert {user.groups for user in found} == {frozenset({name})}
    assert len({user.address for user in found}) == 1
    assert found == visits(name)


@pytest.mark.parametrize("name", list(LOOKALIKES))
def test_each_joins_the_day_and_changes_nothing_about_the_others(name: str) -> None:
    world = build(2, 300, (), lookalikes=(name,))
    assert world.users[: len(PEOPLE)] == PEOPLE
    assert {user.groups for user in world.users[len(PEOPLE) :]} == {frozenset({name})}


def test_a_lecture_hall_signs_up_within_ten_minutes() -> None:
    hall = visits("lecture_hall")
    assert len(hall) == len({user.phone for user in hall}) == 150
    assert max(u.at for u in hall) - min(u.at for u in hall) <= 600
    assert sum(user.patience.solves for user in hall) > 130
    assert kind(hall[0]) == "unknown"


def test_a_load_test_goes_round_its_test_numbers_twice_a_second() -> None:
    runner = visits("load_test")
    assert len(runner) == 600
    assert set(Counter(user.phone for user in runner).values()) == {10}
    assert runner[-1].at - runner[0].at == pytest.approx(300, abs=1)
    assert not any(user.patience.solves for user in runner)


def test_a_monitor_signs_up_with_the_same_number_all_day() -> None:
    checks = visits("uptime_monitor")
    assert len(checks) == 96
    assert len({user.phone for user in checks}) == 1
    assert checks[-1].at == MIDNIGHT + DAY - 900
    assert kind(checks[0]) == "hosting"


def test_a_migration_asks_for_users_who_signed_up_before() -> None:
    job = visits("reverification")
    came = {user.phone: user.at for user in PEOPLE}
    assert all(came[user.phone] < user.at - HOUR / 2 for user in job)
    assert len({user.phone for user in job}) == len(job) > 100
    assert kind(job[0]) == "hosting"
