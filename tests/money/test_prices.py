"""Prices: dated data, overridable, and never too low by ignorance."""

from __future__ import annotations

import phonenumbers
import pytest

from pumpguard import PolicyError
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
