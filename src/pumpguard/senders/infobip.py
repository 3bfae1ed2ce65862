"""Infobip: SMS.

Contract: https://dev-old.infobip.com/send-sms/fully-featured-text-message, with the answer of
https://dev.infobip.com/send-sms/sms-api-response (both read on 2026-11-26): 200 with a message's
``messageId`` and ``status``, whose group 5 is REJECTED: nothing was sent then.
"""

from __future__ import annotations

from typing import Any

from pumpguard.senders.base import HttpSender

REJECTED = 5
"""The group of statuses of messages that Infobip has not taken."""


class Infobip(HttpSender):
    """``base`` is the account's own address (``https://….api.infobip.com``)."""

    provider = "infobip"
    code_at = ("requestError", "serviceException", "messageId")

    def __init__(
        self, key: str, *, from_: str, base: str, callback: str | None = None, **options: Any
    ) -> None:
        super().__init__(base, headers={"authorization": f"App {key}"}, **options)
        self._fixed = {"from": from_}
        if callback is not None:
            self._fixed |= {"notifyUrl": callback, "notifyContentType": "application/json"}

    async def ask(self, phone: str, text: str) -> str:
        message = {**self._fixed, "destinations": [{"to": phone[1:]}], "text": text}
        found = await self.post("/sms/2/text/advanced", json={"messages": [message]})
        id = self.id_in(found, "messages", 0, "messageId")
        status = found["messages"][0].get("status")
        if isinstance(status, dict) and status.get("groupId") == REJECTED:
            self.refused(status.get("name"))
        return id
