"""Money in a sliding window, never more than the limit. Twin: ``spend.lua``.

The slices are those of a wide window (see ``window.py``), with amounts instead of counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from pumpguard.counters import SLICES
from pumpguard.store.kinds.window import Slices, slid


@dataclass(slots=True)
class SpendLook:
    """``amounts`` is the current slice and the ones before it, in µ$; ``allowed`` what this
    request may fill them up to."""

    allowed: int
    span: int
    price: int
    now: int
    index: int
    amounts: tuple[int, ...]

    @property
    def used(self) -> int:
        """All µ$ in slices that touch the window."""
        return sum(self.amounts)

    @property
    def wait(self) -> int:
        """Until the price fits; a whole window if it never does."""
        left, passed = self.used, 0
        while left + self.price > self.allowed and passed <= SLICES:
            left -= self.amounts[SLICES - passed]
            passed += 1
        return (self.index + passed) * (self.span // SLICES) - self.now if passed else 0

    def charged(self) -> tuple[Slices, int]:
        """The price in the current slice."""
        return self._kept((self.amounts[0] + self.price, *self.amounts[1:]))

    def refunded(self, sent_at: int) -> tuple[Slices, int] | None:
        """The price given back to the slice in which it was spent, if that still matters."""
        ago = max(0, self.index - sent_at * SLICES // self.span)
        back = min(self.amounts[ago], self.price) if ago <= SLICES else 0
        if not back:
            return None
        amounts = list(self.amounts)
        amounts[ago] -= back
        return self._kept(tuple(amounts))

    def _kept(self, amounts: tuple[int, ...]) -> tuple[Slices, int]:
        return (self.index, amounts), self.now + self.span + self.span // SLICES


def look(allowed: int, span: int, price: int, stored: Slices | None, now: int) -> SpendLook:
    """Read what was spent over ``span`` milliseconds."""
    now, index, amounts = slid(span, stored, now)
    return SpendLook(allowed, span, price, now, index, amounts)
