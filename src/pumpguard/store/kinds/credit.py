"""Unverified money outstanding, on a line that verified money makes longer. Twin: ``credit.lua``.

What a number owes itself is not held against it, up to the price of `AGAIN` messages more: somebody
who gets no code asks again, and that says nothing about the block. So no debt ever exceeds
``line + AGAIN × price``. On a line that yields, such a number has half of it instead: of many who
want what little is left, whoever has had nothing yet comes first.

Debts are forgiven in a thousand steps per ``seconds``, at the same instants for everybody: one
that is made just before a step is forgiven its first thousandth early. So in any time T no more
than ``line × (1 + T / seconds + 1/1000)``, and those, of what is admitted stays unverified.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from pumpguard.counters import Credit
from pumpguard.store.base import DAY as SECONDS_A_DAY

DAY = SECONDS_A_DAY * 1000
DAYS = 15
STEPS = 1000
AGAIN = 2
LONGEST = 4 * STEPS
"""Steps for which a debt that nobody touches is remembered."""

Kept: TypeAlias = tuple[int, int, int, tuple[int, ...]]
"""The debt, the step in which it was written, the newest day, and what was verified on it and on
the days before it, newest first."""


@dataclass(slots=True)
class CreditLook:
    """A credit as one request, or one outcome, sees it."""

    span: int
    price: int
    now: int
    step: int
    today: int
    used: int
    line: int
    days: tuple[int, ...]
    owed: int = 0
    yields: bool = False

    @property
    def fits(self) -> int:
        """What the debt may be with this message."""
        if self.yields:
            return min(self.line, self.line // 2 + self.price) if self.owed else self.line
        return self.line + min(self.owed, AGAIN * self.price)

    @property
    def wait(self) -> int:
        """Until enough is forgiven for the price; a whole ``seconds`` if it never fits."""
        lacking = self.used + self.price - self.fits
        if lacking <= 0:
            return 0
        steps = STEPS if self.price > self.fits else -(-lacking // self.forgiven)
        return -(-(self.step + steps) * self.span // STEPS) - self.now

    @property
    def detail(self) -> tuple[int, int]:
        """The line, and the best day that helped to make it."""
        return self.line, max(self.days, default=0)

    @property
    def forgiven(self) -> int:
        """µ$ per step."""
        return max(1, self.line // STEPS)

    def charged(self) -> tuple[Kept, int]:
        """The price on top of the debt."""
        return self._kept(self.used + self.price)

    def settled(self, earned: int) -> tuple[Kept, int] | None:
        """The price paid back, and what was earned added to today."""
        if not earned and not self.used:
            return None
        if earned:
            days = self.days or (0,)
            self.days = (days[0] + earned, *days[1:])
        return self._kept(max(0, self.used - self.price))

    def _kept(self, debt: int) -> tuple[Kept, int]:
        steps = min(-(-debt // self.forgiven) + 1, LONGEST)
        expires = self.now + -(-steps * self.span // STEPS)
        if self.days:
            expires = max(expires, (self.today + DAYS) * DAY)
        return (debt, self.step, self.today, self.days), expires


def look(credit: Credit, price: int, stored: Kept | None, now: int, owed: int = 0) -> CreditLook:
    """Read a debt and the line that it is held against; ``owed`` of it is the number's own."""
    span = credit.seconds * 1000
    step, today = now * STEPS // span, now // DAY
    debt, written, newest, days = stored or (0, step, today, ())
    if step < written:
        step, now = written, written * span // STEPS
    today = max(today, newest)
    if days and today > newest:
        days = ((0,) * min(today - newest, DAYS) + days)[:DAYS]
        days = days if any(days) else ()
    line = max(credit.limit, max(days, default=0) // 1000 * permille(credit))
    passed = step - written
    debt = max(0, debt - passed * max(1, line // STEPS)) if passed <= LONGEST else 0
    return CreditLook(span, price, now, step, today, debt, line, days, owed, credit.yields)


def permille(credit: Credit) -> int:
    """The share of verified money that makes the line."""
    return round(credit.ratio * 1000)
