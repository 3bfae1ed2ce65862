"""Vonage: the Messages API.

Contract: https://developer.vonage.com/en/api/messages (read on 2026-11-26): ``to`` without its
plus; 202 with ``message_uuid``; a refusal is 4xx, problem details whose ``type`` ends in the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from pumpguard.senders.base import HttpSender
from pumpguard.senders.feedback import News, accepted


class Vonage(HttpSender):
    """``from_`` is a number or a sender name; ``callback`` is where Vonage reports what became of a
    message, if not where the account says. With ``feedback`` it is told whose code was entered.

    https://developer.vonage.com/en/api/conversion (read on 2026-11-27), which has to be turned on
    for an account. It names ids of the SMS API; whether it takes those of the Messages API, which
    are sent here, is not documented there."""

    provider = "vonage"

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        from_: str,
        callback: str | None = None,
        feedback: bool = False,
        base: str = "https://api.nexmo.com",
        **options: Any,
    ) -> None:
        super().__init__(base, auth=(key, secret), **options)
        self._fixed = {"channel": "sms", "message_type": "text", "from": from_.lstrip("+")}
        if callback is not None:
            self._fixed["webhook_url"] = callback
        self.feedback = feedback

    async def ask(self, phone: str, text: str) -> str:
        found = await self.post("/v1/messages", json={**self._fixed, "to": phone[1:], "text": text})
        return self.id_in(found, "message_uuid")

    async def inform(self, news: Sequence[News]) -> int:
        """Tell Vonage that these codes were entered, just now."""
        known = [urlencode({"message-id": each.id, "delivered": "true"}) for each in news]
        return await accepted(self.post(f"/conversions/sms?{each}") for each in known)

    def code_of(self, problem: Any) -> object:
        kind = problem.get("type") if isinstance(problem, dict) else None
        return kind.rpartition("#")[2] if isinstance(kind, str) else None
