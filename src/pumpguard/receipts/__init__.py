"""Receipts: what the providers report of messages, checked, and told to the guard.

receipts = Receipts(guard, url="https://app.example/receipts", twilio="the auth token")
app.mount("/receipts", receipts)
send_sms = sender(Twilio(…, callback=receipts.callback("twilio"), sent=receipts.sent))
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
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
from pumpguard.receipts.base import Reader, Receipt, Reported
from pumpguard.receipts.bird import Bird, MessageBird
from pumpguard.receipts.infobip import Infobip
from pumpguard.receipts.notes import Note, Notes
from pumpguard.receipts.plivo import Plivo
from pumpguard.receipts.sinch import Sinch
from pumpguard.receipts.telnyx import Telnyx
from pumpguard.receipts.twilio import Twilio, TwilioVerify
from pumpguard.receipts.vonage import Vonage
from pumpguard.replies import UNAVAILABLE, Problem, unreadable

__all__ = ["Receipt", "Receipts"]

MAX_BODY, BODY_DEADLINE = 262_144, 5.0
"""Bytes of a request, which may hold a hundred receipts, and seconds for all of it."""

PAUSES = (1.0, 4.0, 15.0, 40.0)
"""Seconds after which the store is asked again whose message a receipt is about: it may be faster
than the answer to the request that sent the message. A minute in all."""

CARRIERS = 200
"""Names of carriers that a process tells apart; the others are ``other``."""

KINDS: dict[str, Callable[[str], Reader]] = {
    kind.provider: kind
    for kind in (
        Twilio, TwilioVerify, Vonage, Plivo, Telnyx, Sinch, MessageBird, Bird, Infobip,
    )
}  # fmt: skip
"""By the names of their settings and paths; AWS has topics, and is told apart."""


class Receipts:
    """An ASGI app to mount at ``url``, with a path for each provider that is named by its secret.

    ``twilio``, ``twilio_verify`` and ``plivo`` are auth tokens, ``vonage`` a signature secret,
    ``messagebird`` and ``bird`` signing keys, ``telnyx`` a public key (extra ``[receipts]``),
    ``sns`` the ARNs of topics that AWS reports to (the same extra). Of ``sinch`` and ``infobip``
    it is a secret of your own, where they sign nothing (`pumpguard.receipts.base.Shared`). Pass
    `sent` to the senders: it remembers in the guard's store whose message an id is, sealed, for as
    long as its ticket is open (``outcomes.seconds``).

    A receipt may come in any order, twice, or before the message was remembered. Of each message
    the first word about its cost counts, and each word once. It is answered once the store knows;
    if that is away the provider is asked to come again. What is forged, and what is about nobody's
    message, moves no counter. ``clock`` gives Unix seconds. Raises `PolicyError`.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        url: str,
        twilio: str | None = None,
        twilio_verify: str | None = None,
        vonage: str | None = None,
        plivo: str | None = None,
        telnyx: str | None = None,
        sinch: str | None = None,
        messagebird: str | None = None,
        bird: str | None = None,
        infobip: str | None = None,
        sns: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        scheme = urlsplit(url).scheme
        require(scheme == "https" or "://127.0.0.1" in url, "receipts.url", "https://…", url)
        self._guard, self._clock, self._pauses = guard, clock, tuple(pauses)
        self._url = url.rstrip("/")
        secrets = {
            "twilio": twilio, "twilio_verify": twilio_verify, "vonage": vonage, "plivo": plivo,
            "telnyx": telnyx, "sinch": sinch, "messagebird": messagebird, "bird": bird,
            "infobip": infobip,
        }  # fmt: skip
        self._readers: dict[str, Reader] = {
            name: KINDS[name](secret) for name, secret in secrets.items() if secret is not None
        }
        if sns:
            self._readers["sns"] = SnsTopics(sns)
        require(self._readers, "receipts", "the secret of at least one provider")
        self._notes, self._tasks = Notes(guard), BackgroundTasks()
        self._carriers: set[str] = set()
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.seconds: Counter[tuple[str, str]] = Counter()
        self._router = Router(
            [
                Route(f"/{name}", self._handler(name), methods=[reader.method])
                for name, reader in self._readers.items()
            ],
            redirect_slashes=False,
        )

    @property
    def providers(self) -> tuple[str, ...]:
        """Those whose receipts are taken, by the names of their paths."""
        return tuple(self._readers)

    def callback(self, provider: str) -> str:
        """Where a provider has to report to: a sender's ``callback``. For one that signs nothing it
        holds a key: keep it out of public places."""
        require(provider in self._readers, "provider", " or ".join(self._readers), provider)
        key = self._readers[provider].key
        return f"{self._url}/{provider}" + (f"?key={key}" if key else "")

    def sent(self, provider: str, id: str, decision: Decision | None) -> None:
        """A message went out under this decision; a sender's ``sent``. Returns at once."""
        if decision is None or not decision.reservation:
            return
        key = f"receipt {provider} {id}"
        note = Note(int(self._clock()), str(Ticket.of(decision)))
        self._notes.know(key, note)
        self._tasks.start(self._remember(provider, key, note))

    def snapshot(self) -> dict[str, Any]:
        """Receipts that this process took, by provider, country of the number and what they said;
        those that were ``foreign`` (about no message that is known), and the mean seconds to
        delivery."""
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
            reader = self._readers[name]
            receipts = await reader.read(url, request.headers, body, self._clock())
            taken = await asyncio.gather(*map(self._take, receipts))
            if not all(taken):
                raise UNAVAILABLE  # the provider tries again
            return Response(status_code=204)

        return answer

    async def _take(self, receipt: Receipt) -> bool:
        """Tell the guard, at once or as soon as it is known whose message it is. Whether that can
        be relied on."""
        try:
            known = await self._tell(receipt)
        except StoreError:
            self._tasks.start(self._wait(receipt))  # not every provider tries again
            return False
        return self._tasks.start(self._wait(receipt)) if known is None else known

    async def _wait(self, receipt: Receipt) -> None:
        what = "foreign"
        for pause in self._pauses:
            await self._notes.news(_key(receipt), pause)
            try:
                if await self._tell(receipt):
                    return
                what = "foreign"
            except StoreError:
                what = "lost"
        self.counts[receipt.provider, "unknown", what] += 1

    async def _tell(self, receipt: Receipt) -> bool | None:
        """Whether the guard has been told, now or before; it is not while somebody else is at it,
        and ``None`` if nobody knows whose message it is. Raises `StoreError`."""
        key, word = _key(receipt), receipt.word
        note = await self._notes.find(key)
        if note is None or word in note.words:
            return None if note is None else True
        try:
            ticket = Ticket.parse(note.ticket)
        except TicketError:  # another release's
            return None
        if not await self._notes.begin(key, word):
            return False
        self._count(receipt, note, ticket)
        self._guard.settle(ticket, receipt.outcome)
        await self._guard.reports.told()
        self._notes.know(key, note.after(word))
        await self._remember(receipt.provider, key, note.after(word))
        return True

    def _count(self, receipt: Receipt, note: Note, ticket: Ticket) -> None:
        phone, now = ticket.attempt.phone, self._clock()
        country, carrier, took = phone.region or "unknown", receipt.carrier, None
        self.counts[receipt.provider, country, receipt.word] += 1
        if receipt.word == "delivered":
            took = max(0.0, (receipt.at or now) - note.at)
            self.seconds[receipt.provider, country] += round(took)
        if carrier and carrier not in self._carriers:
            carrier = carrier if len(self._carriers) < CARRIERS else "other"
            self._carriers.add(carrier)
        reported = Reported(phone, receipt.provider, receipt.word, now, carrier, took)
        self._guard.listeners.reported(reported)

    async def _remember(self, provider: str, key: str, note: Note) -> None:
        try:
            await self._notes.keep(key, note, self._clock())
        except (StoreError, ValueError):  # away, or a ticket that is longer than a note may be
            self.counts[provider, "unknown", "not_remembered"] += 1


def _key(receipt: Receipt) -> str:
    return f"receipt {receipt.provider} {receipt.id}"
