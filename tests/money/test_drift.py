"""The bill against the price table."""

from __future__ import annotations

import logging

import pytest

from pumpguard import PolicyError
from pumpguard.money.drift import drift
from pumpguard.money.prices import PriceTable


def test_a_bill_as_expected_is_silent(caplog: pytest.LogCaptureFixture) -> None:
    """Up to half as much again, prices are only prices."""
    found = drift(14.9, 10.0)
    assert (found.ratio, found.warning) == (1.49, None)
    assert not caplog.records


def test_a_dear_bill_warns_with_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    """From messages by region: Peru at 2022's price, billed at 2026's."""
    table = PriceTable.load("aws-2022")
    with caplog.at_level(logging.WARNING, "pumpguard"):
        found = drift(232.5, {"PE": 1000}, table)
    assert found.ratio == pytest.approx(8.2, abs=0.1)
    assert found.warning
    assert "aws-2022 of 2022-04-03" in found.warning
    assert "Peru" in found.warning
    assert "PG040" in caplog.text


def test_nonsense_is_refused() -> None:
    """Nothing expected, nothing to compare with."""
    for invoice, expected in ((1.0, 0.0), (-1.0, 1.0), (1.0, float("nan")), (1.0, {"GB": 1})):
        with pytest.raises(PolicyError):
            drift(invoice, expected)
