"""Sums in a sliding window that never exceed their limit. Twin: ``slices.lua``.

A window is cut into ten slices, and every slice that touches it is summed whole. That sum is never
below the true one, so the true window ``(t − W, t]`` never holds more than the limit, whatever the
sequence of requests; what is in it is held at most a tenth of the window too long. Kept so are
µ$, and hits where there may be too many for a log (see ``window.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pumpguard.counters import SLICES

Slices: TypeAlias = tuple[int, tuple[int, ...]]
"""The index of the newest slice, and the amounts in it and in those before, newest first."""


@dataclass(slots=True)
class SlicesLook:
    """``amounts`` is the current slice and the ones before it; ``limit`` what this request may
    fill them up to with its ``amount``."""

    limit: int
    span: int
    amount: int
    now: int
    index: int
    amounts: tuple[int, ...]
    detail: tuple[int, ...] = ()

    @property
    def used(self) -> int:
        """All that is in slices which touch the window."""
        return sum(self.amounts)

    @property
    def wait(self) -> int:
        """Until enough of the oldest slices have left the window; a whole one if it never fits."""
        left, passed = self.used, 0
        while left + self.amount > self.limit and passed <= SLICES:
            left -= self.amounts[SLICES - passed]
            passed += 1
        return (self.index + passed) * (self.span // SLICES) - self.now if passed else 0

    def charged(self) -> tuple[Slices, int]:
        """The amount in the current slice."""
        return self._kept((self.amounts[0] + self.amount, *self.amounts[1:]))

    def refunded(self, sent_at: int) -> tuple[Slices, int] | None:
        """The amount given back to the slice of a time, if that still matters."""
        ago = max(0, self.index - sent_at * SLICES // self.span)
        back = min(self.amounts[ago], self.amount) if ago <= SLICES else 0
        if not back:
            return None
        amounts = list(self.amounts)
        amounts[ago] -= back
        return self._kept(tuple(amounts))

    def _kept(self, amounts: tuple[int, ...]) -> tuple[Slices, int]:
        return (self.index, amounts), self.now + self.span + self.span // SLICES


def look(limit: int, span: int, amount: int, stored: Slices | None, now: int) -> SlicesLook:
    """Read what was counted over ``span`` milliseconds."""
    width = span // SLICES
    index = now // width
    if stored is None:
        return SlicesLook(limit, span, amount, now, index, (0,) * (SLICES + 1))
    newest, amounts = stored
    index = max(index, newest)
    shifted = ((0,) * min(index - newest, SLICES + 1) + amounts)[: SLICES + 1]
    return SlicesLook(limit, span, amount, max(now, newest * width), index, shifted)
