"""Receipts: what the providers report of messages, checked, and told to the guard.

receipts = Receipts(guard, url="https://app.example/receipts", twilio="the auth token")
app.mount("/receipts", receipts)
send_sms = sender(Twilio(…, callback=receipts.callback("twilio"), sent=receipts.sent))
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from pumpguard.background import BackgroundTasks
from pumpguard.config import require
from pumpguard.decision import Decision
from pumpguard.errors import ClientGone, IntakeError, StoreError, TicketError
from pumpguard.guard import Guard
from pumpguard.intake.body import read_body
from pumpguard.outcomes import Ticket
from pumpguard.receipts.aws import SnsTopics
from pumpguard.receipts.readers import Plivo, Reader, Receipt, Telnyx, Twilio, Vonage
from pumpguard.replies import UNAVAILABLE, Problem, unreadable

__all__ = ["Receipt", "Receipts"]

MAX_BODY, BODY_DEADLINE = 65_536, 5.0
"""Bytes of a receipt, and seconds for all of it."""

PAUSES = (1.0, 4.0, 15.0, 40.0)
"""Seconds after which the store is asked again whose message a receipt is about: it may be faster
than the answer to the request that sent the message. A minute in all."""

MAX_KNOWN = 10_000
"""Messages that a process knows by itself; the others it asks the store about."""


class Receipts:
    """An ASGI app to mount at ``url``, with a path for each provider that is named.

    ``twilio`` and ``plivo`` are auth tokens, ``vonage`` a signature secret, ``telnyx`` a public key
    (extra ``[receipts]``), ``sns`` the ARNs of topics that AWS reports to (the same extra). Pass
    `sent` to the senders: it remembers in the guard's store whose message an id is, sealed, for as
    long as its ticket is open (``outcomes.seconds``).

    A receipt may come in any order, twice, or before the message was remembered. Of each message
    the first word about its cost counts. What is forged, and what is about nobody's message, moves
    no counter. ``clock`` gives Unix seconds. Raises `PolicyError`.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        url: str,
        twilio: str | None = None,
        vonage: str | None = None,
        plivo: str | None = None,
        telnyx: str | None = None,
        sns: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        scheme = urlsplit(url).scheme
        require(scheme == "https" or "://127.0.0.1" in url, "receipts.url", "https://…", url)
        self._guard, self._clock, self._pauses = guard, clock, tuple(pauses)
        self._url = url.rstrip("/")
        self._readers: dict[str, Reader] = {}
        kinds: dict[str, tuple[Callable[[str], Reader], str | None]] = {
            "twilio": (Twilio, twilio),
            "vonage": (Vonage, vonage),
            "plivo": (Plivo, plivo),
            "telnyx": (Telnyx, telnyx),
        }
        for name, (kind, secret) in kinds.items():
            if secret is not None:
                self._readers[name] = kind(secret)
        if sns:
            self._readers["sns"] = SnsTopics(sns)
        require(self._readers, "receipts", "the secret of at least one provider")
        self._known: OrderedDict[str, str] = OrderedDict()
        self._waiting: dict[str, asyncio.Event] = {}
        self._tasks = BackgroundTasks()
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.seconds: Counter[tuple[str, str]] = Counter()
        self._router = Router(
            [Route(f"/{name}", self._handler(name), methods=["POST"]) for name in self._readers],
            redirect_slashes=False,
        )

    @property
    def providers(self) -> tuple[str, ...]:
        """Those whose receipts are taken, by the names of their paths."""
        return tuple(self._readers)

    def callback(self, provider: str) -> str:
        """Where a provider has to report to: a sender's ``callback``."""
        require(provider in self._readers, "provider", " or ".join(self._readers), provider)
        return f"{self._url}/{provider}"

    def sent(self, provider: str, id: str, decision: Decision | None) -> None:
        """A message went out under this decision; a sender's ``sent``. Returns at once."""
        if decision is None or not decision.reservation:
            return
        key, at = f"receipt {provider} {id}", int(self._clock())
        text = f"{at} {Ticket.of(decision)}"
        self._known[key] = text
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        if key in self._waiting:
            self._waiting[key].set()
        self._tasks.start(self._remember(key, text))

    def snapshot(self) -> dict[str, Any]:
        """Receipts by provider, country of the number and what they said; those that were
        ``foreign`` (about no message that is known), and the mean seconds to delivery."""
        found: dict[str, Any] = {}
        for (provider, country, word), number in sorted(self.counts.items()):
            entry = found.setdefault(provider, {}).setdefault(country, {})
            entry[word] = number
            if word == "delivered" and self.seconds[provider, country]:
                mean = self.seconds[provider, country] / number
                entry["seconds_to_delivery"] = round(mean, 1)
        return found

    async def done(self) -> None:
        """Wait for all receipts so far, and for those whose message is not known yet."""
        await self._tasks.done()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._router({**scope, "app": self}, receive, send)
        except HTTPException as error:
            problem = Problem(error.status_code, "not-here", error.detail, "There is no such page.")
            await problem(scope, receive, send)
        except IntakeError as error:
            await unreadable(error)(scope, receive, send)
        except ClientGone:
            return

    def _handler(self, name: str) -> Any:
        async def answer(request: Request) -> Response:
            body = await read_body(request.receive, MAX_BODY, BODY_DEADLINE)
            query = request.url.query
            url = f"{self._url}/{name}" + (f"?{query}" if query else "")
            for receipt in await self._readers[name].read(
                url, request.headers, body, self._clock()
            ):
                if not self._tasks.start(self._take(receipt)):
                    raise UNAVAILABLE  # too many at once: the provider tries again
            return Response(status_code=204)

        return answer

    async def _take(self, receipt: Receipt) -> None:
        """Tell the guard, once it is known whose message it is."""
        key = f"receipt {receipt.provider} {receipt.id}"
        text = await self._find(key)
        try:
            at, _, ticket_text = (text or "").partition(" ")
            ticket = Ticket.parse(ticket_text)
        except TicketError:
            self.counts[receipt.provider, "unknown", "foreign"] += 1
            return
        country = ticket.attempt.phone.region or "unknown"
        self.counts[receipt.provider, country, receipt.word] += 1
        if receipt.word == "delivered":
            took = (receipt.at or self._clock()) - int(at)
            self.seconds[receipt.provider, country] += max(0, round(took))
        self._guard.settle(ticket, receipt.outcome)

    async def _find(self, key: str) -> str | None:
        """What was remembered of a message, now or within a minute."""
        waiting = self._waiting.setdefault(key, asyncio.Event())
        try:
            for pause in (*self._pauses, 0.0):
                text = self._known.get(key) or await self._recall(key)
                if text is not None or not pause:
                    return text
                try:
                    async with asyncio.timeout(pause):
                        await waiting.wait()
                except TimeoutError:
                    continue
        finally:
            self._waiting.pop(key, None)
        return None

    async def _remember(self, key: str, text: str) -> None:
        seconds = self._guard.policy.outcomes.seconds
        try:
            await self._guard.store.remember(key, text, seconds, self._at())
        except (StoreError, ValueError):  # away, or a ticket that is longer than a note may be
            self.counts[key.split()[1], "unknown", "not_remembered"] += 1

    async def _recall(self, key: str) -> str | None:
        try:
            return await self._guard.store.recall(key, self._at())
        except StoreError:
            return None

    def _at(self) -> float | None:
        return self._guard.overrides.now() if self._guard.simulated else None
