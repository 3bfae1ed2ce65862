"""A look-up service: a real HTTP server on loopback that answers as it is told."""

from __future__ import annotations

import asyncio
import json

from tests.loopback import Loopback


class Service(Loopback):
    """Answers every request alike; ``asked`` holds what it was asked, head by head."""

    def __init__(self, score: object = 0, status: int = 200, delay: float = 0.0) -> None:
        super().__init__(status, delay)
        self.body = json.dumps({"sms_pumping_risk": {"sms_pumping_risk_score": score}})
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Where it asks to be asked."""
        return f"{self.origin}/v2/PhoneNumbers/{{phone}}?Fields=sms_pumping_risk"

    async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
        """What it was told to say."""
        self.asked.append(head)
        return self.body.encode()
