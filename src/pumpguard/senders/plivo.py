"""Plivo: messages.

Contract: https://www.plivo.com/docs/sms/api/message/send-a-message/ (read on 2026-11-26): numbers
without their plus; 202 with a list ``message_uuid``; a refusal is 4xx with ``error``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pumpguard.senders.base import HttpSender


class Plivo(HttpSender):
    """``from_`` is a number or a sender name; ``callback`` is where Plivo reports what became of a
    message."""

    provider = "plivo"
    code_at = ("error_code",)

    def __init__(
        self,
        auth_id: str,
        token: str,
        *,
        from_: str,
        callback: str | None = None,
        base: str = "https://api.plivo.com",
        **options: Any,
    ) -> None:
        super().__init__(base, auth=(auth_id, token), **options)
        self._path = f"/v1/Account/{quote(auth_id, safe='')}/Message/"
        # The text is personal data, and a code: not for their log.
        self._fixed = {"src": from_, "log": "false"}
        if callback is not None:
            self._fixed |= {"url": callback, "method": "POST"}

    async def ask(self, phone: str, text: str) -> str:
        found = await self.post(self._path, json={**self._fixed, "dst": phone[1:], "text": text})
        return self.id_in(found, "message_uuid", 0)
