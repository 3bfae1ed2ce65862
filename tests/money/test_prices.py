"""Prices: dated data, overridable, and never too low by ignorance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import phonenumbers
import pytest

from pumpguard import Guard, Policy, PolicyError
from pumpguard.money import prices
from pumpguard.money.prices import PACKAGED, PriceTable


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_lists_are_large_dated_and_sourced(name: str) -> None:
    """Who said so, and when."""
    table = PriceTable.load(name)
    assert len(table.usd) >= 190
    assert table.date.startswith(name[-4:])
    assert table.source
    assert all(0 < price < 1 for price in table.usd.values())


def test_known_prices_are_as_published() -> None:
    """Spot checks against the lists."""
    assert PriceTable.load("appwrite-2025").price("GB") == 0.05
    assert PriceTable.load("aws-2022").price("GB") == 0.03888
    assert PriceTable.load("appwrite-2025").price("BD") == 0.25


def test_no_region_is_free() -> None:
    """Every region that has telephones has a price; what nobody lists costs the most."""
    table = PriceTable.load()
    for region in phonenumbers.SUPPORTED_REGIONS:
        assert table.price(region) > 0
    assert table.price("JE") == table.price("GB")
    assert table.price(None) == max(table.usd.values())
    assert table.price("ZZ") == max(table.usd.values())


def test_your_own_prices_come_first() -> None:
    """The rest of the list stays."""
    table = PriceTable.load().override({"GB": 0.01})
    assert table.price("GB") == 0.01
    assert table.price("FR") == PriceTable.load().price("FR")


@pytest.mark.parametrize("price", [0, -0.1, float("nan")])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    """A free message has no limit in money."""
    with pytest.raises(PolicyError, match="above 0"):
        PriceTable.load().override({"GB": price})


def test_a_list_takes_the_dearest_of_the_others_for_what_it_leaves_out() -> None:
    """Not the next one's: Pakistan was $0.079 in 2022, and the same provider asks $0.39 now."""
    older = PriceTable.load("appwrite-2025")
    assert older.price("PK") == PriceTable.load("appwrite-2026").price("PK") == 0.39
    assert PriceTable.load("appwrite-2026").price("GB") == 0.05  # left as it was in 2025
    assert PriceTable.load("appwrite-2026").price("PE") == 0.23252  # a single row of AWS, 2026
    assert PriceTable.load("aws-2022").price("PE") < 0.03  # its own price stands


def test_a_list_has_an_age() -> None:
    """In days; a list whose date is no date has none."""
    table = PriceTable.load("appwrite-2026")
    assert table.age(date(2026, 5, 29)) == 10
    assert replace(table, date="spring").age() is None


def test_each_part_of_a_message_is_billed() -> None:
    """Two parts cost twice as much, whatever the region."""
    table = PriceTable.load().times(2)
    assert table.price("GB") == 0.10
    assert table.price(None) == 2 * PriceTable.load().price(None)


@pytest.mark.parametrize("parts", [0, 11, 1.5, True, "2", None])
def test_a_number_of_parts_is_checked(parts: object) -> None:
    with pytest.raises(PolicyError, match=r"parts: expected a whole number from 1 to 10"):
        Policy(send="/s", parts=parts)


def test_an_old_list_is_said_at_the_start(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Once it is older than a year, with what to do."""
    monkeypatch.setattr(prices, "_today", lambda: date(2027, 5, 19))
    Guard(Policy(send="/s", name="a year old"), "memory://")
    assert "PG099" not in caplog.text
    monkeypatch.setattr(prices, "_today", lambda: date(2027, 5, 20))
    Guard(Policy(send="/s", name="and a day"), "memory://")
    assert "PG099 prices='appwrite-2026' are of 2026-05-19, 366 days ago" in caplog.text
