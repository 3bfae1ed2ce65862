"""Vonage: the Messages API.

Contract: https://developer.vonage.com/en/api/messages (read on 2026-11-26): ``to`` without its
plus; 202 with ``message_uuid``; a refusal is 4xx, problem details whose ``type`` ends in the code.
"""

from __future__ import annotations

from typing import Any

from pumpguard.senders.base import HttpSender


class Vonage(HttpSender):
    """``from_`` is a number or a sender name; ``callback`` is where Vonage reports what became of a
    message, if not where the account says."""

    provider = "vonage"

    def __init__(
        self,
        key: str,
        secret: str,
        *,
        from_: str,
        callback: str | None = None,
        base: str = "https://api.nexmo.com",
        **options: Any,
    ) -> None:
        super().__init__(base, auth=(key, secret), **options)
        self._fixed = {"channel": "sms", "message_type": "text", "from": from_.lstrip("+")}
        if callback is not None:
            self._fixed["webhook_url"] = callback

    async def ask(self, phone: str, text: str) -> str:
        found = await self.post("/v1/messages", json={**self._fixed, "to": phone[1:], "text": text})
        return self.id_in(found, "message_uuid")

    def code_of(self, problem: Any) -> object:
        kind = problem.get("type") if isinstance(problem, dict) else None
        return kind.rpartition("#")[2] if isinstance(kind, str) else None
