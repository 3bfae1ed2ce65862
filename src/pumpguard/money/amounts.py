"""Reads what people write for a price: ``$ 0.0079``, ``0,05 €``, ``1.234,50``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

SYMBOLS = {"$": "USD", "US$": "USD", "€": "EUR", "£": "GBP", "₹": "INR"}

AMOUNT = re.compile(
    r"(?P<before>US\$|[$€£₹]|[A-Za-z]{3})?\s*(?P<digits>[0-9.,'’\s]*[0-9])\s*(?P<after>[$€£₹]|[A-Za-z]{3})?"
)
PLAIN = re.compile(r"[0-9]*(?:[.,][0-9]+)?")
GROUPED = re.compile(
    r"[0-9]{1,3}(?:(?P<group>[.,'])[0-9]{3})(?:(?P=group)[0-9]{3})*(?:[.,][0-9]+)?"
)


@dataclass(frozen=True, slots=True)
class Written:
    """An amount as it was written: its digits with separators, and its currency if it names one.

    ``decimal`` is the decimal sign as far as this amount alone can say: ``.`` or ``,``, or
    ``None`` if it has none, or if what it has could as well group thousands (``1,234``).
    """

    digits: str
    currency: str | None
    decimal: str | None

    @property
    def ambiguous(self) -> bool:
        """Whether it has a separator of which nothing here says what it separates."""
        return self.decimal is None and bool(re.search("[.,]", self.digits))

    def number(self, decimal: str) -> float | None:
        """Its value with this decimal sign; ``None`` if it cannot be read so."""
        group = "." if decimal == "," else ","
        if not _grouped_by(self.digits, group, decimal):
            return None
        plain = self.digits.replace(group, "").replace("'", "").replace(decimal, ".")
        try:
            return float(plain)
        except ValueError:
            return None


def written(text: str) -> Written | None:
    """What stands in ``text``, or ``None`` if that is no amount."""
    found = AMOUNT.fullmatch(text.strip())
    if found is None or (found["before"] and found["after"]):
        return None
    digits = re.sub(r"[’\s]", "'", found["digits"])  # thousands may be spaced, or have apostrophes
    if not (PLAIN.fullmatch(digits) or GROUPED.fullmatch(digits)):
        return None
    mark = found["before"] or found["after"]
    return Written(digits, SYMBOLS.get(mark, mark.upper()) if mark else None, _decimal(digits))


def decimal_of(amounts: Iterable[Written]) -> tuple[str | None, bool]:
    """The decimal sign of a whole column, and whether that is certain.

    A column in which two amounts disagree, or of which every amount could be read either way, is
    not.
    """
    amounts = list(amounts)
    said = {amount.decimal for amount in amounts if amount.decimal}
    if len(said) == 1:
        return said.pop(), True
    if not said and not any(amount.ambiguous for amount in amounts):
        return ".", True
    return None, False


def _decimal(digits: str) -> str | None:
    signs = [sign for sign in digits if sign in ".,"]
    if not signs:
        return None
    if len(set(signs)) == 2:
        return signs[-1] if signs.count(signs[-1]) == 1 else None
    if len(signs) > 1:  # 1,234,567: a sign that occurs twice groups
        return "." if signs[0] == "," else ","
    whole, _, rest = digits.partition(signs[0])
    if "'" in digits or len(rest) != 3 or whole.lstrip("0") == "" or len(whole) > 3:
        return signs[0]
    return None


def _grouped_by(digits: str, group: str, decimal: str) -> bool:
    """Whether every group of thousands has three digits and none stands behind the decimals."""
    whole, sign, rest = digits.partition(decimal)
    parts = re.split(f"[{group}']", whole)
    if sign and not rest.isdecimal():
        return False
    return len(parts) == 1 or (
        1 <= len(parts[0]) <= 3 and all(len(part) == 3 and part.isdecimal() for part in parts[1:])
    )
