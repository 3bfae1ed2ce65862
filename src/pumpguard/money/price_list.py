"""Your provider's own price list, from a CSV or JSON file, in USD by region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pumpguard.config import check
from pumpguard.errors import PolicyError
from pumpguard.money.amounts import SYMBOLS, Written, decimal_of, written
from pumpguard.money.columns import Columns
from pumpguard.money.places import places
from pumpguard.money.tables import Entry, entries

DEAREST = 100.0
"""USD per message above which a price is taken for a mistake, such as cents read as dollars."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says: USD by region, the dearest of several rows, and how many rows said what.

    ``elsewhere`` is the dearest price to numbers of no country, if any is listed; ``ignored`` the
    rows that the caller wanted left out.
    """

    usd: Mapping[str, float]
    elsewhere: float | None
    rows: int
    ignored: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """Where a list is, and how it is to be read; found by clear rules where nothing is said.

    ``region``, ``price`` and ``currency`` name the column or (dotted, in JSON) the field of each;
    ``in_currency`` is the currency of prices that name none. ``rates`` are USD per unit of other
    currencies. ``decimal`` is the decimal sign, found from the whole column unless it could be
    read both ways. Rows whose place is in ``ignore`` are left out, and counted. ``name``,
    ``date`` and ``source`` are those of the file itself unless given.
    """

    path: str
    name: str = ""
    date: str = ""
    source: str = ""
    region: str | None = None
    price: str | None = None
    currency: str | None = None
    in_currency: str = "USD"
    rates: Mapping[str, float] = field(default_factory=dict)
    decimal: Literal[".", ","] | None = None
    ignore: Sequence[str] = ()

    def __post_init__(self) -> None:
        check(self, "prices")
        for currency, rate in self.rates.items():
            if not 0 < rate < float("inf"):
                raise PolicyError(f"prices.rates.{currency}", "USD per unit, above 0", rate)
        if self.date:
            try:
                date.fromisoformat(self.date)
            except ValueError:
                raise PolicyError("prices.date", "a date such as '2026-01-31'", self.date) from None

    @property
    def dated(self) -> str:
        """When these prices held: as given, or when the file was last changed."""
        if self.date:
            return self.date
        return datetime.fromtimestamp(Path(self.path).stat().st_mtime, UTC).date().isoformat()

    def read(self) -> Listed:
        """Read every row. Raises `PolicyError` with the exact line or path of the first mistake."""
        listed = entries(Path(self.path), Columns(self.region, self.price, self.currency))
        kept = [entry for entry in listed if entry.place.strip() not in self.ignore]
        amounts = [self._written(entry) for entry in kept]
        sign = self._decimal(kept, amounts)
        usd: dict[str, float] = {}
        for entry, amount in zip(kept, amounts, strict=True):
            price = self._usd(entry, amount, sign)
            for region in _places(entry):
                usd[region] = max(price, usd.get(region, 0.0))
        nowhere = [region for region in usd if region.startswith("+")]
        elsewhere = max((usd.pop(region) for region in nowhere), default=None)
        return Listed(usd, elsewhere, len(kept), len(listed) - len(kept))

    def _written(self, entry: Entry) -> Written | float:
        if isinstance(entry.amount, float):
            return entry.amount
        amount = written(entry.amount) if len(entry.amount) <= 64 else None
        if amount is None:
            raise PolicyError(entry.where, "a price such as 0.0079", entry.amount)
        return amount

    def _decimal(self, kept: Sequence[Entry], amounts: Sequence[Written | float]) -> str:
        if self.decimal is not None:
            return self.decimal
        texts = [amount for amount in amounts if isinstance(amount, Written)]
        sign, certain = decimal_of(texts)
        if sign is not None and certain:
            return sign
        doubtful = next(
            entry
            for entry, amount in zip(kept, amounts, strict=True)
            if isinstance(amount, Written)
            and (amount.ambiguous or amount.decimal != texts[0].decimal)
        )
        expected = "one decimal sign, '.' or ',', in the whole list, or decimal="
        raise PolicyError(doubtful.where, expected, doubtful.amount)

    def _usd(self, entry: Entry, amount: Written | float, sign: str) -> float:
        said = amount.currency if isinstance(amount, Written) else None
        column = _currency(entry.currency)
        if said and column and said != column:
            raise PolicyError(entry.where, f"one currency, not {said} in {column}", entry.amount)
        currency = said or column or self.in_currency.upper()
        rate = 1.0 if currency == "USD" else self.rates.get(currency)
        if rate is None:
            raise PolicyError(entry.where, f"USD, or a rate in rates.{currency}", currency)
        number = amount.number(sign) if isinstance(amount, Written) else amount
        if number is None or not 0 < number * rate <= DEAREST:
            expected = f"a price above 0 and at most {DEAREST:g} USD (decimal sign {sign!r})"
            raise PolicyError(entry.where, expected, entry.amount)
        return number * rate


def _currency(text: str | None) -> str | None:
    text = (text or "").strip()
    return SYMBOLS.get(text, text.upper()) or None


def _places(entry: Entry) -> tuple[str, ...]:
    found = places(entry.place)
    if not found:
        expected = (
            "an ISO region, a country's English name or a calling code (or name it in ignore)"
        )
        raise PolicyError(entry.where, expected, entry.place)
    return found
