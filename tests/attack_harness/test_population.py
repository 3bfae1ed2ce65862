from __future__ import annotations

import random
import statistics
from collections import Counter

import phonenumbers
import pytest

from attack_harness.addresses import is_residential
from attack_harness.clock import DAY, HOUR, MIDNIGHT
from attack_harness.countries import ABROAD, HOME
from attack_harness.population import Crowd, Habits, User, population, spelled


@pytest.fixture(scope="module")
def people() -> list[User]:
    return population(seed=1, size=4_000)


def test_the_same_seed_gives_the_same_people(people: list[User]) -> None:
    assert population(seed=1, size=4_000) == people
    assert population(seed=2, size=50) != population(seed=1, size=50)


def test_their_number_and_times_are_those_of_one_day(people: list[User]) -> None:
    assert len(people) == pytest.approx(4_000, abs=250)
    times = [user.at for user in people]
    assert times == sorted(times)
    assert times[0] >= MIDNIGHT
    assert times[-1] < MIDNIGHT + DAY


def test_most_live_at_home_and_the_rest_all_over_the_world(people: list[User]) -> None:
    at_home = sum(user.country in HOME for user in people)
    assert at_home / len(people) == pytest.approx(0.8, abs=0.03)
    abroad = Counter(user.country for user in people if user.country in ABROAD)
    assert len(abroad) > 50
    assert all(abroad[attacked] >= 5 for attacked in ("AZ", "MM", "BD", "MX"))


def test_nobody_shares_a_number(people: list[User]) -> None:
    assert len({user.phone for user in people}) == len(people)


def test_nights_are_quiet_and_evenings_busy(people: list[User]) -> None:
    british = Counter(int((u.at - MIDNIGHT) // HOUR) for u in people if u.country == "GB")
    assert sum(british[hour] for hour in range(1, 5)) * 4 < sum(british[h] for h in range(17, 21))


def test_travellers_and_shared_addresses_have_their_shares(people: list[User]) -> None:
    groups = Counter(group for user in people for group in user.groups)
    assert groups["traveller"] / len(people) == pytest.approx(0.08, abs=0.015)
    assert groups["cgnat"] / len(people) == pytest.approx(0.25, abs=0.03)
    assert groups["office"] >= 10


def test_travellers_are_elsewhere_and_others_at_home(people: list[User]) -> None:
    for user in people[::20]:
        assert is_residential(user.address, user.country) is ("traveller" not in user.groups)


def test_carrier_nat_puts_hundreds_behind_one_address(people: list[User]) -> None:
    shared = Counter(u.address for u in people if "cgnat" in u.groups and u.country in HOME)
    assert max(shared.values()) > 100
    assert len(shared) <= 10


def test_patience_follows_the_published_figures(people: list[User]) -> None:
    entry = sorted(user.patience.enters_after for user in people)
    assert statistics.median(entry) == pytest.approx(13.5, rel=0.07)
    assert entry[int(len(entry) * 0.95)] == pytest.approx(60, rel=0.12)
    finishing = sum(user.patience.finishes for user in people) / len(people)
    assert finishing == pytest.approx(0.85, abs=0.02)
    resends = [user.patience.resends_after[0] for user in people]
    assert min(resends) >= 30
    assert max(resends) <= 90
    assert sum(r < 60 for r in resends) / len(resends) == pytest.approx(0.3, abs=0.03)
    assert sum(not u.patience.solves for u in people) / len(people) == pytest.approx(0.03, abs=0.01)


def test_a_few_type_their_number_differently(people: list[User]) -> None:
    odd = [u for u in people if u.typed[0] != {"phone": u.phone}]
    assert len(odd) / len(people) == pytest.approx(Habits().unusual_spelling, abs=0.01)
    assert any(u.typed[0] != u.typed[1] for u in people)


@pytest.mark.parametrize("phone", ["+447911123456", "+4915112345678", "+33612345678"])
def test_every_spelling_means_the_same_number(phone: str) -> None:
    rng = random.Random(1)
    forms = [spelled(phone, rng) for _ in range(60)]
    assert len({str(form) for form in forms}) == 5
    for form in forms:
        digits = (form.get("code", "") + form["phone"]).lstrip("+0")
        parsed = phonenumbers.parse("+" + digits)
        assert phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == phone


def test_more_days_leave_the_first_as_it_is(people: list[User]) -> None:
    week = population(seed=1, size=4_000, days=3)
    assert week[: len(people)] == people
    per_day = Counter(int((user.at - MIDNIGHT) // DAY) for user in week)
    assert per_day.keys() == {0, 1, 2}
    assert len({user.phone for user in week}) == len(week)


def test_the_weekend_is_quieter() -> None:
    week = population(seed=1, size=2_000, days=7)
    per_day = Counter(int((user.at - MIDNIGHT) // DAY) for user in week)
    friday, sunday = per_day[3], per_day[5]
    assert sunday < 0.9 * friday


def test_a_promotion_brings_five_times_the_usual_users(people: list[User]) -> None:
    crowd = Crowd("promotion", starts=17 * HOUR)
    everybody = population(seed=1, size=4_000, crowds=[crowd])
    usual = sum(crowd.holds(user.at) for user in people)
    came = [user for user in everybody if crowd.holds(user.at)]
    assert len(came) == pytest.approx(5 * usual, abs=3)
    assert [user for user in everybody if "promotion" not in user.groups] == people


def test_a_promotions_users_are_users_like_all_others(people: list[User]) -> None:
    crowd = Crowd("promotion", starts=17 * HOUR, factor=20.0)
    came = [u for u in population(1, 4_000, crowds=[crowd]) if "promotion" in u.groups]
    assert sum(u.country in HOME for u in came) / len(came) == pytest.approx(0.8, abs=0.04)
    assert sum(u.patience.finishes for u in came) / len(came) == pytest.approx(0.85, abs=0.03)
    assert not {u.phone for u in came} & {u.phone for u in people}
    early = sum(u.at < MIDNIGHT + crowd.starts + crowd.seconds / 2 for u in came)
    assert early > len(came) * 0.6
