"""A provider that is late: the same app and the same messages, which arrive when they arrive."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from ..actors import Call, Reply
from ..targets import Target

Provider = Callable[[float, random.Random], float]
"""When a message arrives, in Unix seconds, that would have at such a time."""

INBOX = "/sim/inbox/"


@dataclass
class LateInbox:
    """A target whose handsets show a message only when the provider has brought it."""

    target: Target
    provider: Provider

    def __post_init__(self) -> None:
        self.concurrent = self.target.concurrent

    async def call(self, call: Call, at: float) -> Reply:
        """Perform one call; of an inbox, hold back what has not arrived."""
        reply = await self.target.call(call, at)
        if not call.path.startswith(INBOX):
            return reply
        handset = call.path.removeprefix(INBOX)
        messages = []
        for message in reply.json.get("messages") or []:
            usual = float(message["delivered_at"])
            # Drawn from the message alone, so that it is late alike behind every defence.
            arrives = self.provider(usual, random.Random(f"{handset} {usual}"))
            if arrives <= at:
                messages.append({**message, "delivered_at": arrives})
        messages.sort(key=lambda message: message["delivered_at"])
        return reply._replace(json={**reply.json, "messages": messages})
