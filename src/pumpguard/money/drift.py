"""Do the prices still hold? The bill against what the price table expected."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from pumpguard.errors import PolicyError
from pumpguard.money.prices import PriceTable

WARN_ABOVE = 1.5
"""Ratio. Peru rose from $0.028 (2022) to $0.233 (2026) in AWS's own feed, 8 times as much; Appwrite
raised 165 of its 189 prices in one month, and the whole by 22 %."""

logger = logging.getLogger("pumpguard")


@dataclass(frozen=True, slots=True)
class Drift:
    """The bill divided by what was expected; ``warning`` is what was logged, if anything."""

    ratio: float
    warning: str | None


def drift(
    invoice_usd: float,
    expected: float | Mapping[str, int],
    prices: PriceTable | None = None,
    warn_above: float = WARN_ABOVE,
) -> Drift:
    """Compare a bill with the USD that were expected, or with messages by region × ``prices``.

    Logs PG040 above ``warn_above``. A ratio far below 1 is no danger, only a table that is dear.
    """
    if isinstance(expected, Mapping):
        if prices is None:
            raise PolicyError("prices", "a price table, to price messages by region")
        expected = sum(prices.price(region) * count for region, count in expected.items())
    if not (expected > 0 and invoice_usd >= 0):
        raise PolicyError("expected", "a bill, and an expectation above 0", (invoice_usd, expected))
    ratio = invoice_usd / expected
    if not ratio > warn_above:
        return Drift(ratio, None)
    table = f" {prices.name} of {prices.date}" if prices else ""
    warning = (
        f"the bill is {ratio:.2f} times what the price table{table} expected "
        f"(${invoice_usd:,.2f}, not ${expected:,.2f}): every limit in money lets through that much "
        "more. Read your provider's current list (prices=). Single prices have risen eightfold in "
        "a few years, as Peru's did between 2022 and 2026"
    )
    logger.warning("PG040 %s", warning)
    return Drift(ratio, warning)
