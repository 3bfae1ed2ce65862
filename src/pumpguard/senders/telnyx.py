"""Telnyx: messages.

Contract: https://developers.telnyx.com/api-reference/messages/send-a-message (read on 2026-11-26):
200 with ``data.id``; a refusal is 4xx with ``errors[].code``.
"""

from __future__ import annotations

from typing import Any

from pumpguard.senders.base import HttpSender


class Telnyx(HttpSender):
    """``from_`` is a number or a sender name, which needs the ``profile`` it belongs to;
    ``callback`` is where Telnyx reports what became of a message."""

    provider = "telnyx"
    code_at = ("errors", 0, "code")

    def __init__(
        self,
        key: str,
        *,
        from_: str,
        profile: str | None = None,
        callback: str | None = None,
        base: str = "https://api.telnyx.com",
        **options: Any,
    ) -> None:
        super().__init__(base, headers={"authorization": f"Bearer {key}"}, **options)
        given = {"from": from_, "messaging_profile_id": profile, "webhook_url": callback}
        self._fixed = {name: value for name, value in given.items() if value is not None}

    async def ask(self, phone: str, text: str) -> str:
        content = {**self._fixed, "to": phone, "text": text, "type": "SMS"}
        return self.id_in(await self.post("/v2/messages", json=content), "data", "id")
