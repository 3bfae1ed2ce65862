"""Twilio: Programmable Messaging, and Verify.

Contracts: https://www.twilio.com/docs/messaging/api/message-resource (201 with ``sid``; a refusal
is 4xx with ``code``) and https://www.twilio.com/docs/verify/api/verification (201 with ``sid`` and
``send_code_attempts``), as Twilio's own Python client 9.13 speaks them (2026-11-26).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pumpguard.config import require
from pumpguard.senders.base import HttpSender
from pumpguard.senders.feedback import News, accepted

API, VERIFY = "https://api.twilio.com", "https://verify.twilio.com"


class Twilio(HttpSender):
    """``from_`` is a number, a sender name, or a messaging service (``MG…``). ``max_price`` is what
    a message may cost in USD; Twilio does not send one that costs more. ``callback`` is where it
    reports what became of it (`pumpguard.receipts`). With ``feedback`` it is told whose code was
    entered: https://www.twilio.com/docs/messaging/api/message-feedback-resource (2026-11-27)."""

    provider = "twilio"

    def __init__(
        self,
        account: str,
        token: str,
        *,
        from_: str,
        max_price: float | None = None,
        callback: str | None = None,
        feedback: bool = False,
        base: str = API,
        **options: Any,
    ) -> None:
        super().__init__(base, auth=(account, token), **options)
        require(max_price is None or max_price > 0, "sender.max_price", "USD above 0", max_price)
        service = from_.startswith("MG")
        messages = f"/2010-04-01/Accounts/{quote(account, safe='')}/Messages"
        self._path, self._messages, self.feedback = f"{messages}.json", messages, feedback
        self._form = {"MessagingServiceSid" if service else "From": from_}
        if max_price is not None:
            self._form["MaxPrice"] = f"{max_price:.4f}"
        if callback is not None:
            self._form["StatusCallback"] = callback
        if feedback:
            self._form["ProvideFeedback"] = "true"

    async def ask(self, phone: str, text: str) -> str:
        found = await self.post(self._path, data={**self._form, "To": phone, "Body": text})
        return self.id_in(found, "sid")

    async def inform(self, news: Sequence[News]) -> int:
        """Tell Twilio that these codes were entered."""
        paths = [f"{self._messages}/{quote(each.id, safe='')}/Feedback.json" for each in news]
        return await accepted(self.post(path, data={"Outcome": "confirmed"}) for path in paths)


class TwilioVerify(HttpSender):
    """Twilio makes the code and its text (``text`` is not sent) by the Verify service ``VA…``.

    A verification may have several messages: the id is that of the newest attempt (``VL…``), which
    receipts name; without one, the verification's (``VE…``). Checking the code with Twilio tells it
    who verified: there is nothing else to tell."""

    provider = "twilio_verify"

    def __init__(
        self, account: str, token: str, *, service: str, base: str = VERIFY, **options: Any
    ) -> None:
        super().__init__(base, auth=(account, token), **options)
        self._path = f"/v2/Services/{quote(service, safe='')}/Verifications"

    async def ask(self, phone: str, text: str) -> str:
        found = await self.post(self._path, data={"To": phone, "Channel": "sms"})
        attempts = found.get("send_code_attempts") if isinstance(found, dict) else None
        if attempts:
            return self.id_in(attempts, -1, "attempt_sid")
        return self.id_in(found, "sid")
