"""The days of crowds: who comes, and that they are real users."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import iporigin
import pytest

from attack_harness.actors import Call, Reply
from attack_harness.clock import DAY, HOUR, MIDNIGHT
from attack_harness.countries import HOME
from attack_harness.crowds import CROWDS, LateInbox
from attack_harness.population import User, population
from attack_harness.world import World, build

SIZE = 300


def world(name: str, size: int = SIZE, seed: int = 3) -> World:
    crowd = CROWDS[name]
    family = crowd.attack
    return build(
        seed, size, [family.name] if family else [], days=crowd.days, crowd=crowd,
        families={family.name: family} if family else {},
    )  # fmt: skip


def members(name: str, size: int = SIZE) -> list[User]:
    return [user for user in world(name, size).users if name in user.groups]


def usual(days: int = 1) -> list[User]:
    return population(3, SIZE, days=days)


@pytest.mark.parametrize("name", list(CROWDS))
def test_each_day_is_about_somebody_and_is_the_same_every_time(name: str) -> None:
    assert members(name)
    assert world(name).users == world(name).users


@pytest.mark.parametrize("name", list(CROWDS))
def test_whoever_gets_no_code_is_known_by_a_number_of_his_own(name: str) -> None:
    users = world(name).users
    assert len({user.number for user in users}) == len(users)


@pytest.mark.parametrize(("name", "factor"), [("launch", 8), ("big_launch", 20)])
def test_a_launch_brings_so_many_times_the_usual(name: str, factor: int) -> None:
    crowd = members(name)
    begins = min(user.at for user in crowd) // HOUR * HOUR
    meanwhile = sum(begins <= user.at < begins + 2_400 for user in usual())
    assert len(crowd) == (factor - 1) * meanwhile
    assert max(user.at for user in crowd) < begins + 2_400
    assert {user.country for user in crowd} <= set(HOME)


def test_the_first_launch_is_one_of_people_who_all_enter_their_codes() -> None:
    assert all(user.patience.finishes for user in members("launch"))
    share = sum(user.patience.finishes for user in members("big_launch")) / len(
        members("big_launch")
    )
    assert 0.7 < share < 0.95


def test_an_attack_follows_one_in_five_of_a_launch() -> None:
    day = world("attacked_launch")
    (attack,) = day.attacks
    begins = MIDNIGHT + attack.starts
    meanwhile = sum(begins <= user.at < begins + 2_400 for user in day.users)
    assert len(attack.shots) == round(meanwhile * 0.2)
    assert len([u for u in day.users if "promotion" in u.groups]) == 0


def test_a_new_market_is_no_home_country() -> None:
    market = members("new_market")
    assert {user.country for user in market}.isdisjoint(HOME)
    assert {int((user.at - MIDNIGHT) // DAY) for user in market} == {0, 1, 2, 3}


def test_three_of_five_users_of_one_country_enter_their_codes() -> None:
    found = members("one_country", 2_000)
    assert {user.country for user in found} == {"DE"}
    assert 0.55 < sum(user.patience.finishes for user in found) / len(found) < 0.65


def test_relay_users_are_the_usual_ones_behind_addresses_that_say_so() -> None:
    changed = members("relay", 1_000)
    assert 0.08 < len(changed) / 1_000 < 0.16
    providers = {iporigin.classify(user.address).provider for user in changed}  # type: ignore[no-untyped-call]
    assert providers == {"Apple Private Relay"}
    assert max(Counter(user.address for user in changed).values()) > 1


def test_a_campus_comes_within_twenty_minutes_behind_one_address() -> None:
    campus = members("campus")
    assert len(campus) == 200
    assert len({user.address for user in campus}) == 1
    assert max(user.at for user in campus) - min(user.at for user in campus) <= 1_200


def test_two_carriers_have_an_address_each() -> None:
    assert set(Counter(user.address for user in members("carrier_nat")).values()) == {300}


def test_who_comes_back_does_so_twice_a_day() -> None:
    visits = members("coming_back", 30)
    each = Counter((user.phone, int((user.at - MIDNIGHT) // DAY)) for user in visits)
    assert set(each.values()) == {2}
    assert {day for _, day in each} == set(range(8))


def test_after_the_change_of_clocks_everybody_is_an_hour_early() -> None:
    before = {user.number: user.at for user in usual(days=5)}
    early = members("clocks_change")
    assert {round(before[user.number] - user.at) for user in early} == {3_600}
    assert min(early, key=lambda user: user.at).at >= MIDNIGHT + 4 * DAY + 2 * HOUR


@pytest.mark.parametrize(("name", "calls"), [("monitor", 1_440), ("announced_load_test", 600)])
def test_machines_are_announced_by_their_address(name: str, calls: int) -> None:
    users = world(name).users
    (address,) = CROWDS[name].announced(users)
    assert sum(user.address == address for user in users) == calls


class Handset:
    """An app whose handset shows two messages that came a minute apart."""

    concurrent = False

    async def call(self, call: Call, at: float) -> Reply:
        came: Sequence[float] = [MIDNIGHT + 18 * HOUR + 60, MIDNIGHT + 18 * HOUR + 120]
        shown = [{"text": "123456", "delivered_at": each} for each in came if each <= at]
        return Reply(at, 200, {"messages": shown})


async def seen(name: str, minute: int) -> int:
    provider = CROWDS[name].provider
    assert provider is not None
    inbox = LateInbox(Handset(), provider)
    reply = await inbox.call(Call("GET", "/sim/inbox/+44"), MIDNIGHT + 18 * HOUR + minute * 60)
    return len(reply.json["messages"])


async def test_behind_a_broken_provider_nothing_arrives_and_then_everything() -> None:
    assert [await seen("broken_provider", minute) for minute in (1, 5, 19, 22)] == [0, 0, 0, 2]


def test_a_slow_provider_takes_up_to_three_minutes_while_it_is_slow() -> None:
    provider = CROWDS["slow_provider"].provider
    assert provider is not None
    slow, fast = MIDNIGHT + 13 * HOUR, MIDNIGHT + 9 * HOUR
    waits = [provider(slow, random.Random(n)) - slow for n in range(100)]
    assert 40 <= min(waits) < 60 < 150 < max(waits) <= 180
    assert provider(fast, random.Random(1)) == fast


def test_only_what_a_day_brings_with_it_is_a_true_alert() -> None:
    launch, broken = CROWDS["launch"], CROWDS["broken_provider"]
    assert launch.false_alerts({"SEND_SPIKE": 1, "BUDGET_ALERT": 2}) == 0
    assert launch.false_alerts({"SEND_SPIKE": 2, "PROVIDER_OUTAGE": 1}) == 2
    assert broken.false_alerts({"PROVIDER_OUTAGE": 1}) == 0
    attacked = {"ATTACK_BEGINS": 1, "ATTACK_OVER": 1}
    assert launch.false_alerts(attacked) == 2
    assert CROWDS["attacked_launch"].false_alerts(attacked) == 0
