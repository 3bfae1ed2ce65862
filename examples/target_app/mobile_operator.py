"""A fake mobile operator: approves, loses, delivers, and shares its revenue."""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from examples.target_app.books import CURRENCY, Amount
from examples.target_app.numbering import look_up

Status = Literal["delivered", "rejected", "lost"]

KEPT_PER_HANDSET = 20
HANDSETS = 200_000


@dataclass(frozen=True, slots=True)
class Sms:
    """A message on a handset."""

    text: str
    delivered_at: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a message, and what its recipient's owner earned by it."""

    status: Status
    owner_share: float = 0.0


@dataclass(slots=True)
class _Handset:
    inbox: deque[Sms] = field(default_factory=lambda: deque(maxlen=KEPT_PER_HANDSET))
    addressed: int = 0


class MobileOperator:
    """Carries messages to handsets, and is paid for every one of them.

    ``owner_share`` is what makes SMS pumping worth while: the part of the price that goes to
    whoever rents the number. Flipdish's engineers, who were attacked, put it at 10 %.
    """

    def __init__(self, *, seed: int = 0, loss: float = 0.02, owner_share: float = 0.10) -> None:
        self._seed = seed
        self._loss = loss
        self._owner_share = owner_share
        self._handsets: dict[str, _Handset] = {}
        self._messages: dict[Status, int] = {"delivered": 0, "rejected": 0, "lost": 0}
        self._revenue = Amount()
        self._shared = Amount()

    def carry(self, phone: str, text: str, price: float, at: float) -> Delivery:
        """Take a message and its price, and do with it what the network does."""
        self._revenue.add(price)
        delivery = self._attempt(phone, text, price, at)
        self._messages[delivery.status] += 1
        self._shared.add(delivery.owner_share)
        return delivery

    def inbox(self, phone: str, now: float) -> list[Sms]:
        """What a handset shows by now."""
        handset = self._handsets.get(phone)
        return [sms for sms in handset.inbox if sms.delivered_at <= now] if handset else []

    def report(self) -> dict[str, object]:
        """The operator's books."""
        delivered, lost = self._messages["delivered"], self._messages["lost"]
        return {
            "approved": delivered + lost,
            "rejected": self._messages["rejected"],
            "delivered": delivered,
            "lost": lost,
            "revenue": self._revenue.dollars,
            "share_paid": self._shared.dollars,
            "currency": CURRENCY,
        }

    def _attempt(self, phone: str, text: str, price: float, at: float) -> Delivery:
        if not look_up(phone).allocated:
            return Delivery("rejected")
        handset = self._handset(phone)
        handset.addressed += 1
        luck, delay = self._fate(phone, handset.addressed)
        if luck < self._loss:
            return Delivery("lost")
        handset.inbox.append(Sms(text, at + delay))
        return Delivery("delivered", round(price * self._owner_share, 6))

    def _handset(self, phone: str) -> _Handset:
        handset = self._handsets.get(phone)
        if handset is None:
            if len(self._handsets) >= HANDSETS:
                del self._handsets[next(iter(self._handsets))]
            handset = self._handsets[phone] = _Handset()
        return handset

    def _fate(self, phone: str, nth: int) -> tuple[float, float]:
        """Luck in [0, 1) and 1 to 6 seconds of delay.

        They hang on nothing but the message, so that two runs of the same traffic, say with and
        without a guard, lose the same messages.
        """
        name = f"{self._seed} {phone} {nth}".encode()
        digest = hashlib.blake2b(name, digest_size=16).digest()
        luck, delay = (int.from_bytes(half) / 2**64 for half in (digest[:8], digest[8:]))
        return luck, 1 + 5 * delay
