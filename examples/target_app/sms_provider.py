"""A fake SMS provider: prices every message, hands it to the operator, keeps the ledger."""

from __future__ import annotations

import asyncio
import math
import random
from dataclasses import dataclass

from examples.target_app.books import Bill
from examples.target_app.clock import Clock
from examples.target_app.mobile_operator import MobileOperator, Status
from examples.target_app.numbering import look_up
from pumpguard.money.prices import PriceTable

LEDGER = 1_000_000


class ImpossibleNumberError(ValueError):
    """A number that no message could ever reach, because no country has numbers like it."""


@dataclass(frozen=True, slots=True)
class Message:
    """A line of the ledger: one message that was billed."""

    id: int
    phone: str
    at: float
    country: str
    price: float
    status: Status
    owner_share: float


class SmsProvider:
    """Sells messages by a dated price table.

    ``latency`` is how long its interface takes to answer: the median in seconds, and the spread of
    its logarithm.
    """

    def __init__(
        self,
        operator: MobileOperator,
        prices: PriceTable,
        clock: Clock,
        latency: tuple[float, float] | None = None,
    ) -> None:
        self._latency = latency
        self._operator = operator
        self._prices = prices
        self._clock = clock
        self._bill = Bill()
        self._refused = 0
        self._ledger: list[Message] = []
        self._first_id = 0

    async def send(self, phone: str, text: str) -> Message:
        """Send one message to a number in E.164, and bill it."""
        listing = look_up(phone)
        if not listing.possible:
            self._refused += 1
            raise ImpossibleNumberError("no country has numbers of this length")
        if self._latency is not None:
            median, spread = self._latency
            await asyncio.sleep(random.lognormvariate(math.log(median), spread))
        at, price = self._clock(), self._prices.price(listing.region)
        # Carriers charge for what they are handed, whether or not it arrives. That is why messages
        # to numbers that nobody owns cost as much as any other.
        self._bill.add(listing.destination, price)
        delivery = self._operator.carry(phone, text, price, at)
        message = Message(
            id=self._first_id + len(self._ledger),
            phone=phone,
            at=at,
            country=listing.destination,
            price=price,
            status=delivery.status,
            owner_share=delivery.owner_share,
        )
        self._write(message)
        return message

    def messages(self, since: int, limit: int) -> list[Message]:
        """Up to ``limit`` lines of the ledger, from the id ``since`` on."""
        start = max(0, since - self._first_id)
        return self._ledger[start : start + limit]

    def report(self) -> dict[str, object]:
        """The provider's books, with the price list they were kept by."""
        return {
            **self._bill.report(),
            "refused_free": self._refused,
            "prices": {
                "name": self._prices.name,
                "date": self._prices.date,
                "source": self._prices.source,
            },
        }

    def _write(self, message: Message) -> None:
        if len(self._ledger) >= LEDGER:
            oldest = LEDGER // 2
            del self._ledger[:oldest]
            self._first_id += oldest
        self._ledger.append(message)
