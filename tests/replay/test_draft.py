"""What a log says about a usual day, and the policy that follows."""

from __future__ import annotations

import tomllib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.money.prices import PriceTable
from pumpguard.replay.draft import DAY, Past, from_past, past, rounded_up, toml
from pumpguard.replay.entry import Entry
from pumpguard.replay.episodes import Episode
from pumpguard.replay.journal import Journal

MIDNIGHT = 1_777_766_400.0
"""2026-05-03 00:00 UTC."""


def journal(*entries: Entry) -> Journal:
    found = Journal()
    found._insert(list(entries))
    found.close_books()
    return found


def test_an_attack_is_no_part_of_the_busiest_day() -> None:
    """One over midnight is taken from both days, by its time in each."""
    days = [
        Entry(MIDNIGHT + day * DAY + i, f"+4474001{i:05}", price=1.0)
        for day, count in enumerate((30, 50, 20))
        for i in range(count)
    ]
    attack = Episode(MIDNIGHT + DAY - 1_800, MIDNIGHT + DAY + 5_400, 40, 40.0)
    found = past(journal(*days), [attack], PriceTable.load())
    assert found.attacks == {"2026-05-03": 10, "2026-05-04": 30}
    assert found.usd == {"2026-05-03": 20, "2026-05-04": 20, "2026-05-05": 20}


def test_homes_are_where_codes_are_entered() -> None:
    """Not where messages go: an attack sends more than all users."""
    found = Past(
        codes=Counter(GB=90, IE=7, FR=3), hours=Counter(BD=500, GB=95), usd={"2026-05-03": 5}
    )
    settings = {each.name: each for each in from_past(found, "log", None, "a list")}
    assert settings["home"].value == ["GB", "IE"]
    assert "GB 90%, IE 7%" in settings["home"].why
    assert settings["region"].value == "GB"


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ({"GB": 99, "FR": 1}, ["1 other has less; add it where you expect users."]),
        ({"GB": 98, "FR": 1, "IE": 1},
         ["2 others have less each; add those where you expect users."]),
        ({"GB": 99}, []),
    ],
)  # fmt: skip
def test_countries_with_few_codes_are_counted(codes: dict[str, int], told: list[str]) -> None:
    """Not one of which no code was entered: it was attacked."""
    found = Past(codes=Counter({**codes, "BD": 0}), usd={"2026-05-03": 5})
    home = from_past(found, "log", None, "a list")[0]
    assert home.why.splitlines()[1:] == told


def test_without_codes_homes_are_where_messages_go_all_day() -> None:
    """An attack has more messages, but not in more hours; and the operator is told to look."""
    people = [Entry(MIDNIGHT + hour * 3_600, f"+4474001{hour:05}") for hour in range(24)]
    attack = [Entry(MIDNIGHT + i, f"+88017112{i:05}") for i in range(500)]
    found = past(journal(*people, *attack), [], PriceTable.load())
    settings = {each.name: each for each in from_past(found, "log", None, "a list")}
    assert settings["home"].value == ["GB"]
    assert "CHECK THIS LINE" in settings["home"].why
    assert "they are in it" in settings["daily_budget"].why
    assert "region" not in settings


def test_the_price_to_count_with_is_what_few_messages_exceed() -> None:
    """One message of ten parts does not make a country ten times as dear."""
    billed = Counter({0.04: 60, 0.05: 39, 0.5: 1})
    found = Past(hours=Counter(GB=100), usd={"2026-05-03": 5}, prices={"GB": billed})
    settings = {each.name: each.value for each in from_past(found, "log", None, "a list")}
    assert settings["price_overrides"] == {"GB": 0.05}


@pytest.mark.parametrize(
    ("usd", "rounded"), [(0, 1), (0.03, 1), (9.61, 9.7), (137.2, 140), (140, 140), (88_001, 89_000)]
)
def test_a_budget_is_rounded_up(usd: float, rounded: float) -> None:
    assert rounded_up(usd) == rounded


@given(usd=st.floats(0, 1e7))
def test_it_is_never_less_and_never_a_tenth_more(usd: float) -> None:
    assert usd <= rounded_up(usd) * (1 + 1e-9)
    assert rounded_up(usd) <= max(1.0, usd * 1.1 + 0.01)


@given(value=st.one_of(st.text(), st.lists(st.text()), st.floats(0, 1e6), st.integers(0, 10**6)))
def test_what_is_written_is_toml(value: object) -> None:
    try:
        text = f"x = {toml(value)}"
        text.encode()
    except UnicodeEncodeError:
        return
    assert tomllib.loads(text) == {"x": value}


def test_what_was_not_sent_cost_nothing() -> None:
    """And neither does an attack on a day on which nothing else was."""
    sent = Entry(MIDNIGHT, "+447400123456", price=1.0)
    failed = Entry(MIDNIGHT + DAY, "+447400123457", price=1.0, sent=False)
    attack = Episode(MIDNIGHT + DAY, MIDNIGHT + DAY + 60, 40, 40.0)
    found = past(journal(sent, failed), [attack], PriceTable.load())
    assert found.usd == {"2026-05-03": 1}
    assert found.attacks == {"2026-05-04": 40}
