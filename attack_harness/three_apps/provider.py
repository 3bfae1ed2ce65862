"""The mobile network behind the three apps, and the ways to it that their providers sell."""

from __future__ import annotations

import json
import uuid
from typing import Any

from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.rest import Client

from examples.target_app.mobile_operator import MobileOperator, Sms
from examples.target_app.numbering import look_up
from pumpguard.money.prices import PriceTable
from pumpguard.testing import FakeClock

from ..books import Message


class Provider:
    """Hands messages to the network, and keeps the ledger; also a mailbox for everybody."""

    def __init__(self, clock: FakeClock, seed: int) -> None:
        self.ledger: list[Message] = []
        self._clock = clock
        self._operator = MobileOperator(seed=seed)
        self._prices = PriceTable.load()
        self._mail: dict[str, list[Sms]] = {}

    def price(self, phone: str) -> float:
        """USD for a message to a number in E.164."""
        return self._prices.price(look_up(phone).region)

    def text(self, phone: str, text: str) -> str:
        """Send one message; the id that it gets."""
        at, price = self._clock.now, self.price(phone)
        delivery = self._operator.carry(phone, text, price, at)
        country = look_up(phone).destination
        self.ledger.append(
            Message(phone, at, country, price, delivery.status, delivery.owner_share)
        )
        return uuid.uuid4().hex

    async def publish(self, phone: str, text: str) -> dict[str, str]:
        """The same, as SNS answers."""
        return {"MessageId": str(uuid.UUID(self.text(phone, text)))}

    async def mail(self, address: str, text: str) -> dict[str, str]:
        """Send a letter, which costs nothing."""
        self._mail.setdefault(address, []).append(Sms(text, self._clock.now + 2.0))
        return {"MessageId": uuid.uuid4().hex}

    def twilio(self) -> Client:
        """Twilio's own synchronous client, whose requests come here."""
        return Client("AC" + "0" * 32, "token", http_client=_Api(self))

    def inbox(self, to: str) -> list[Sms]:
        """What has arrived by now."""
        if "@" in to:
            return [each for each in self._mail.get(to, []) if each.delivered_at <= self._clock.now]
        return self._operator.inbox(to, self._clock.now)


class _Api(HttpClient):  # type: ignore[misc]  # it has no types of its own
    """Twilio's API, as far as it is needed."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def request(self, method: str, url: str, *args: Any, **options: Any) -> Response:
        """Accept a message."""
        data = options.get("data") or args[1]
        sid = self._provider.text(data["To"], data["Body"])
        return Response(201, json.dumps({"sid": f"SM{sid}", "status": "queued", "to": data["To"]}))
