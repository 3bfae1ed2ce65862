"""Reads the books of a target after a run: every message that was paid for, and all bills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pumpguard.money.prices import PriceTable

from .actors import Call, Json
from .targets import Target


class Message(NamedTuple):
    """One line of the provider's ledger."""

    phone: str
    at: float
    country: str
    price: float
    status: str
    owner_share: float


@dataclass(frozen=True)
class Books:
    """What one run cost, by every account."""

    ledger: tuple[Message, ...]
    otp_billing: Json
    provider_billing: Json
    operator_billing: Json
    firewall: Json

    def __post_init__(self) -> None:
        # The scorecard is built from the ledger; the customer pays the bill. They must agree.
        billed = float(self.otp_billing.get("total_spent", 0.0))
        listed = sum(message.price for message in self.ledger)
        if abs(billed - listed) > 0.01:
            raise ValueError(f"the bill says ${billed:.2f}, the ledger adds up to ${listed:.2f}")


def repriced(ledger: Iterable[Message], prices: PriceTable) -> list[Message]:
    """The same messages as another price table would have billed them; an owner's share of the
    price stays what it is."""
    found = []
    for message in ledger:
        region = None if message.country.startswith("+") else message.country
        price = prices.price(region)
        share = price * message.owner_share / message.price
        found.append(message._replace(price=price, owner_share=share))
    return found


async def _get(target: Target, path: str, at: float) -> Json:
    reply = await target.call(Call("GET", path), at)
    if reply.status != 200:
        raise ValueError(f"GET {path} answered {reply.status}")
    return reply.json


async def read_ledger(target: Target, at: float, since: int = 0) -> list[Message]:
    """Fetch the ledger from a line on, page by page."""
    ledger: list[Message] = []
    while page := (await _get(target, f"/sim/messages?since={since}", at))["messages"]:
        ledger += (
            Message(m["phone"], m["at"], m["country"], m["price"], m["status"], m["owner_share"])
            for m in page
        )
        since = page[-1]["id"] + 1
    return ledger


async def read_books(target: Target, at: float) -> Books:
    """Fetch the whole ledger and the bills."""
    return Books(
        tuple(await read_ledger(target, at)),
        await _get(target, "/otp/billing", at),
        await _get(target, "/sms-provider/billing", at),
        await _get(target, "/operator/billing", at),
        await _get(target, "/metrics/firewall", at),
    )
