"""The families whose attacks are all plan: where to, in what order, how fast, and from where."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import iptocc
import phonenumbers
import pytest

from attack_harness.actors import draws
from attack_harness.attackers import (
    AccountResets,
    BoughtProof,
    CountrySpray,
    HiddenInPromotion,
    LowAndSlow,
    ShuffledBlock,
)
from attack_harness.clock import DAY, HOUR
from attack_harness.countries import HOME
from attack_harness.lookalikes import Neighbourhood
from examples.target_app.numbering import look_up

from .planning import ground, planned


def test_the_shuffled_block_is_adjacent_numbers_in_no_order() -> None:
    attack = planned("shuffled_block")
    numbers = [int(shot.phone) for shot in attack.shots]
    assert len(set(numbers)) == len(numbers) == 10_020
    assert sum(abs(b - a) == 1 for a, b in pairwise(numbers)) < 10
    ordered = sorted(numbers)
    assert sum(b - a < 10 for a, b in pairwise(ordered)) > 0.99 * len(ordered)


def test_the_shuffled_block_is_as_fast_as_the_retailers_night() -> None:
    attack = planned("shuffled_block")
    assert len(attack.shots) / (attack.ends - attack.starts) == pytest.approx(16.7, rel=0.01)
    assert len({shot.address for shot in attack.shots}) == 300


def test_a_small_block_is_gone_through_again_and_again() -> None:
    """What is rented may be less than what is asked for, as in the parameters that are held out."""
    family = ShuffledBlock(blocks=1, block_size=1_000, rate=5.0)
    asked = [shot.phone for shot in family.plan(ground("shuffled_block")).shots]
    assert len(asked) == 3_000
    assert [len(set(asked[n : n + 1_000])) for n in (0, 1_000, 2_000)] == [1_000] * 3
    assert asked[:1_000] != asked[1_000:2_000]


def test_low_and_slow_is_a_message_a_minute_all_day() -> None:
    attack = planned("low_and_slow")
    assert len(attack.shots) == 24 * 60
    assert attack.ends > 23.5 * HOUR
    per_hour = Counter(int(shot.after // HOUR) for shot in attack.shots)
    assert max(per_hour.values()) < 150


def test_low_and_slow_sleeps_when_its_country_does() -> None:
    per_hour = Counter(int(shot.after // HOUR + 5) % 24 for shot in planned("low_and_slow").shots)
    assert sum(per_hour[h] for h in range(1, 5)) * 4 < sum(per_hour[h] for h in range(17, 21))


def test_low_and_slow_uses_each_address_once_or_twice() -> None:
    origins = Counter(shot.address for shot in planned("low_and_slow").shots)
    assert set(origins.values()) <= {1, 2}


def test_low_and_slow_lasts_as_long_as_the_simulation_or_as_told() -> None:
    three_days = ground("low_and_slow")._replace(days=3)
    assert len(LowAndSlow().plan(three_days).shots) == 3 * 24 * 60
    assert LowAndSlow().plan(three_days).ends > 2.9 * DAY
    assert len(LowAndSlow(days=0.5).plan(three_days).shots) == 12 * 60
    assert len(LowAndSlow(per_minute=138, days=0.1).plan(three_days).shots) == 19_872


def test_the_spray_goes_to_dear_countries_the_dearer_the_more() -> None:
    prices = dict(CountrySpray().dearest())
    assert len(prices) == 25
    assert min(prices.values()) > 0.15
    shots = planned("country_spray").shots
    sent = Counter(look_up(shot.phone).region for shot in shots)
    assert sent.keys() == prices.keys()
    total = sum(prices.values())
    for country, price in prices.items():
        assert sent[country] / len(shots) == pytest.approx(price / total, rel=0.3)


def test_the_spray_asks_from_the_numbers_own_country() -> None:
    for shot in planned("country_spray").shots[::200]:
        assert iptocc.country_code(shot.address) == look_up(shot.phone).region


def test_the_buyer_of_proof_comes_from_home_to_a_range_of_a_million() -> None:
    """A fresh address each time, a minute to two between messages."""
    attack = planned("bought_proof")
    assert attack.buys_solutions
    assert len({shot.address for shot in attack.shots}) == len(attack.shots)
    assert len({shot.phone[:-6] for shot in attack.shots}) == 1
    pauses = [b.after - a.after for a, b in pairwise(attack.shots)]
    assert 60 <= min(pauses) <= max(pauses) <= 120
    for shot in attack.shots[::100]:
        assert iptocc.country_code(shot.address) in HOME


def test_the_people_of_that_range_live_there() -> None:
    around = Neighbourhood(draws(1, "bought_proof"), ())
    found = BoughtProof().neighbours(around)
    (prefix,) = {user.phone[:-6] for user in found}
    assert planned("bought_proof").shots[0].phone.startswith(prefix)
    assert all(iptocc.country_code(user.address) == "LK" for user in found)


def test_many_random_numbers_are_possible_and_owned_by_nobody() -> None:
    phones = sorted(planned("random_in_country").phones)[::20]
    parsed = [phonenumbers.parse(phone) for phone in phones]
    assert all(phonenumbers.is_possible_number(number) for number in parsed)
    valid = sum(phonenumbers.is_valid_number(number) for number in parsed)
    assert 0.01 < valid / len(parsed) < 0.6


def test_random_numbers_are_nowhere_near_each_other() -> None:
    ordered = sorted(int(phone) for phone in planned("random_in_country").phones)
    assert sum(b - a < 1_000 for a, b in pairwise(ordered)) < 10


def test_resets_go_round_the_accounts_behind_every_cooldown() -> None:
    attack = planned("account_resets")
    assert set(Counter(shot.phone for shot in attack.shots).values()) == {12}
    times = [shot.after for shot in attack.shots if shot.phone == attack.shots[0].phone]
    assert all(b - a == pytest.approx(300) for a, b in pairwise(times))


def test_half_of_the_reset_accounts_belong_to_people_of_the_day() -> None:
    attack = planned("account_resets")
    assert len(attack.phones) == 500
    assert len(attack.victims) == 250


def test_without_people_all_reset_accounts_are_dormant() -> None:
    attack = AccountResets().plan(ground("account_resets")._replace(people=frozenset()))
    assert len(attack.phones) == 500
    assert not attack.victims


def test_the_promotions_bots_come_ten_seconds_after_a_fifth_of_its_users() -> None:
    family = HiddenInPromotion()
    here = ground(family.name)
    attack = family.plan(here)
    meanwhile = {at for at in here.arrivals if family.crowd.starts <= at < family.starts + 2_700}
    assert len(attack.shots) == round(len(meanwhile) / 5)
    assert all(
        round(attack.starts + shot.after - 10, 3) in {round(at, 3) for at in meanwhile}
        for shot in attack.shots
    )


def test_with_nobody_to_hide_among_there_is_no_attack() -> None:
    alone = replace(HiddenInPromotion(), part=0.5).plan(
        ground("hidden_in_promotion")._replace(arrivals=())
    )
    assert alone.shots == ()
    assert alone.ends == alone.starts
