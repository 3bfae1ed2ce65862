"""MessageBird, and Bird, as it is called now: two APIs.

Contracts: https://developers.messagebird.com/api/sms-messaging/ (201 with ``id``; a refusal is 4xx
with ``errors[].code``; as its stored example shows it, read on 2026-11-26), with
https://docs.bird.com/connectivity-platform/getting-started/receiving-delivery-reports-dlrs: reports
come for messages with a ``reference`` alone (read on 2026-11-27). And Bird's
https://docs.bird.com/api/channels-api/supported-channels/programmable-sms/sending-sms-messages
(path, receiver and body; read on 2026-11-27); that its answer is 202 with ``id`` is so in public
integrations, and that a refusal is 4xx with ``code`` is from memory.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from pumpguard.senders.base import HttpSender


class MessageBird(HttpSender):
    """``from_`` is the originator; ``callback`` is where the provider reports what became of it."""

    provider = "messagebird"
    code_at = ("errors", 0, "code")

    def __init__(
        self,
        key: str,
        *,
        from_: str,
        callback: str | None = None,
        base: str = "https://rest.messagebird.com",
        **options: Any,
    ) -> None:
        super().__init__(base, headers={"authorization": f"AccessKey {key}"}, **options)
        self._fixed = {"originator": from_}
        if callback is not None:
            self._fixed |= {"reportUrl": callback, "reference": "pumpguard"}

    async def ask(self, phone: str, text: str) -> str:
        content = {**self._fixed, "recipients": [phone[1:]], "body": text}
        return self.id_in(await self.post("/messages", json=content), "id")


class Bird(HttpSender):
    """A channel of a workspace, by their ids."""

    provider = "bird"

    def __init__(
        self,
        key: str,
        *,
        workspace: str,
        channel: str,
        base: str = "https://api.bird.com",
        **options: Any,
    ) -> None:
        super().__init__(base, headers={"authorization": f"AccessKey {key}"}, **options)
        ids = (quote(each, safe="") for each in (workspace, channel))
        self._path = "/workspaces/{}/channels/{}/messages".format(*ids)

    async def ask(self, phone: str, text: str) -> str:
        receiver = {"contacts": [{"identifierKey": "phonenumber", "identifierValue": phone}]}
        body = {"type": "text", "text": {"text": text}}
        found = await self.post(self._path, json={"receiver": receiver, "body": body})
        return self.id_in(found, "id")
