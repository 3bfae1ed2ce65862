"""What an attack aims at: the countries, and the narrowest blocks of numbers that it fills.

A block of 10^k numbers is *attacked* if it holds at least 20 numbers of the attack, k as small as
the typical number allows. A rented block of 5,000 numbers walked one by one so gives k = 2; random
numbers of a carrier give its whole ranges; a list of numbers from everywhere gives no block.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from statistics import median_low

import phonenumbers

from ..countries import HOME

HOLDS = 20
WIDEST = 7
BLOCK = 4
"""Numbers that lie in blocks of 10^4 or narrower are what carriers rent out: a *block attack*."""

_REGION_SHOWS_WITHIN = 8
"""Characters of a number in E.164 that settle its region: ``+1`` and six more."""


@dataclass(frozen=True)
class Attacked:
    """The aim of one attack."""

    phones: frozenset[str]
    digits: int
    """The last digits that an attacked block leaves open; 0 if there are no blocks."""

    @classmethod
    def by(cls, phones: Collection[str]) -> Attacked:
        """Find the blocks."""
        for digits in range(1, WIDEST + 1):
            held = Counter(phone[:-digits] for phone in phones)
            if phones and median_low(held[phone[:-digits]] for phone in phones) >= HOLDS:
                return cls(frozenset(phones), digits)
        return cls(frozenset(phones), 0)

    @property
    def is_block(self) -> bool:
        """True if the numbers are those of rented blocks."""
        return 0 < self.digits <= BLOCK

    @property
    def size(self) -> int:
        """How many numbers the attacked blocks hold together."""
        return len(self.prefixes(self.digits)) * int(10**self.digits)

    def prefixes(self, digits: int) -> frozenset[str]:
        """All blocks of 10^digits that the attack touches, by their prefixes."""
        return frozenset(phone[: len(phone) - digits] for phone in self.phones)

    @cached_property
    def countries(self) -> tuple[str, ...]:
        """Where the numbers are, most of them first."""
        found: Counter[str] = Counter()
        for number, times in Counter(p[:_REGION_SHOWS_WITHIN] for p in self.phones).items():
            example = next(p for p in self._sample if p.startswith(number))
            region = phonenumbers.region_code_for_number(phonenumbers.parse(example))
            found[region or ""] += times
        return tuple(c for c, _ in found.most_common() if c not in ("", "001", "ZZ"))

    @cached_property
    def _sample(self) -> tuple[str, ...]:
        return tuple({p[:_REGION_SHOWS_WITHIN]: p for p in sorted(self.phones)}.values())

    @property
    def abroad(self) -> frozenset[str]:
        """The attacked countries that are nobody's home: their few users are those at risk."""
        return frozenset(self.countries) - HOME.keys()
