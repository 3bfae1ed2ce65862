"""Alerts to a webhook: any program that takes JSON over HTTP."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from math import inf
from typing import TYPE_CHECKING, Literal

from pumpguard.alerts import Alert
from pumpguard.alerts.words import words
from pumpguard.background import BackgroundTasks
from pumpguard.config import require
from pumpguard.external import certificates, is_safe
from pumpguard.listeners import Listener
from pumpguard.masking import masked
from pumpguard.notices import Notices

if TYPE_CHECKING:
    import httpx

SIGNATURE = "x-pumpguard-signature"


class Webhook(Listener):
    """Posts each alert to ``url``, in the background. Pass it as a guard's ``on_alert``, or to
    ``guard.listen`` where there are several.

    The body is a JSON object: ``id`` (the same if it is sent again), ``code``, ``rule``, ``at``
    (Unix seconds), ``evidence``, ``subject``, masked, and ``text``, all of it in words. With
    ``shape="slack"`` it has the ``text`` alone, as Slack's incoming webhooks (and Mattermost's)
    want it: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.

    With a ``secret`` it is signed: the header ``x-pumpguard-signature`` says
    ``t=<Unix seconds>,v1=<hex>``, where the latter is the HMAC-SHA256 of ``<t>.<body>``; see
    `signature`.

    Each try has ``deadline`` seconds. A failed one is repeated after each of ``pauses`` (seconds);
    then it is given up, which is logged (``PG033``); the log has the alert itself in any case.
    Redirections are not followed.
    Needs the ``[webhook]`` extra. Raises `PolicyError`.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str = "",
        headers: Mapping[str, str] | None = None,
        deadline: float = 5.0,
        pauses: Sequence[float] = (2.0, 30.0),
        shape: Literal["generic", "slack"] = "generic",
        clock: Callable[[], float] = time.time,
    ) -> None:
        require(is_safe(url), "webhook.url", "an https:// address", url)
        require(0 < deadline < inf, "webhook.deadline", "seconds above 0", deadline)
        require(shape in ("generic", "slack"), "webhook.shape", "generic or slack", shape)
        self._shape = shape
        self._url, self._secret, self._headers = url, secret, dict(headers or {})
        self._deadline, self._pauses, self._clock = deadline, tuple(pauses), clock
        self._tls = certificates()  # fails at start-up if it fails
        self._tasks, self._notices = BackgroundTasks(), Notices(clock)

    name = "webhook"

    def __call__(self, alert: Alert) -> None:
        self.alerted(alert)

    def alerted(self, alert: Alert) -> None:
        if not self._tasks.start(self._post(alert)):
            self._not_posted(alert, "no event loop, or too many at once")

    async def aclose(self) -> None:
        """Wait for posts under way, with their retries."""
        await self._tasks.done()

    async def _post(self, alert: Alert) -> None:
        import httpx

        content: dict[str, object] = {"text": words(alert)}
        if self._shape == "generic":
            content |= {
                "id": secrets.token_hex(16), "code": alert.code, "rule": alert.rule,
                "at": alert.at, "evidence": dict(alert.evidence), "subject": masked(alert.subject),
            }  # fmt: skip
        body = json.dumps(content, default=str).encode()
        async with httpx.AsyncClient(timeout=self._deadline, verify=self._tls) as client:
            for pause in (*self._pauses, None):
                error = await self._try(client, body)
                if error is None:
                    return
                if pause is not None:
                    await asyncio.sleep(pause)
        self._not_posted(alert, f"tries: {len(self._pauses) + 1}, last error: {error}")

    def _not_posted(self, alert: Alert, why: str) -> None:
        text = "alert %s was not posted to the webhook (%s)"
        self._notices.say("PG033", why, text, alert.code, why)

    async def _try(self, client: httpx.AsyncClient, body: bytes) -> str | None:
        """What went wrong, or ``None``. It never says the URL, which may contain a key."""
        headers = {**self._headers, "content-type": "application/json"}
        if self._secret:
            headers[SIGNATURE] = signature(self._secret, body, int(self._clock()))
        try:
            async with asyncio.timeout(self._deadline):
                response = await client.post(self._url, content=body, headers=headers)
        except Exception as error:
            return type(error).__name__
        return None if response.is_success else f"status {response.status_code}"


def signature(secret: str, body: bytes, at: int) -> str:
    """The signature of a body at a time (Unix seconds). A receiver computes the same from ``t`` and
    the raw body, compares in constant time, and refuses what is older than a few minutes."""
    signed = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
