"""Sinch: the SMS REST API.

Contract: https://developers.sinch.com/docs/sms/api-reference/sms/tag/Batches/ (read on
2026-11-26): a batch of one; 201 with ``id``; a refusal is 4xx with ``code``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pumpguard.senders.base import HttpSender


class Sinch(HttpSender):
    """``plan`` is the service plan's id, ``base`` the API of its region. With ``callback`` Sinch
    reports there what became of each message."""

    provider = "sinch"

    def __init__(
        self,
        plan: str,
        token: str,
        *,
        from_: str,
        callback: str | None = None,
        base: str = "https://eu.sms.api.sinch.com",
        **options: Any,
    ) -> None:
        super().__init__(base, headers={"authorization": f"Bearer {token}"}, **options)
        self._path = f"/xms/v1/{quote(plan, safe='')}/batches"
        self._fixed = {"from": from_}
        if callback is not None:
            self._fixed |= {"callback_url": callback, "delivery_report": "per_recipient_final"}

    async def ask(self, phone: str, text: str) -> str:
        found = await self.post(self._path, json={**self._fixed, "to": [phone], "body": text})
        return self.id_in(found, "id")
