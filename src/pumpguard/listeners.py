"""Who is told what a guard has done: events, metrics, the console, an app's ``on_decision``.

A listener is called after the reply (but for ``answering``) and in the event loop of the request:
it notes what it is told and returns at once. What takes time it does in a task of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Literal, NamedTuple

from pumpguard.attempt import Attempt, Phone
from pumpguard.decision import Decision
from pumpguard.notices import Notices

if TYPE_CHECKING:
    from starlette.types import Message, Scope, Send

    from pumpguard.alerts import Alert


class Exchange(NamedTuple):
    """The HTTP facts of a request. ``protocol`` is ``http`` or ``https``. ``status`` is that of the
    answer, 500 where the app raised instead, ``None`` where nobody answered."""

    method: str
    path: str
    protocol: str
    status: int | None


class Recorded(NamedTuple):
    """A decision that was acted on. ``at`` is the time after the reply (Unix seconds, by the
    guard's clock), ``seconds`` how long reading and deciding took; both that and ``exchange`` are
    unknown outside HTTP."""

    decision: Decision
    at: float
    seconds: float | None = None
    exchange: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Became:
    """What became of the messages to a number, as soon as the store has been told.

    ``verified``: a code was entered; ``messages`` and ``usd`` are those that were open and are paid
    for by it, none if the guard knew of none. ``failed`` (not sent) and ``unallocated`` are about
    one message, whose ``attempt`` is known, perhaps without price and time.
    """

    phone: Phone
    outcome: Literal["verified", "failed", "unallocated"]
    at: float
    messages: int = 1
    usd: float = 0.0
    attempt: Attempt | None = None


ReportedWord = Literal["delivered", "undelivered", "failed", "unallocated"]


class Reported(NamedTuple):
    """What a provider has reported of a message (`pumpguard.receipts`), each word once: when it was
    heard (Unix seconds), who carried it, if that is known, and the seconds to its delivery."""

    phone: Phone
    provider: str
    word: ReportedWord
    at: float
    carrier: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """An order: what a person, or escalation, has changed at run time.

    ``what`` is ``posture``, ``allow``, ``deny``, ``remove``, ``expect``, ``escalate`` or ``lift``.
    ``kind`` says what ``subject`` is (``country``, ``prefix``, ``number`` …), which is masked where
    it is personal data. ``value`` is the new posture, or how many times as much is expected.
    ``until`` is its end (Unix seconds), if it has one.
    """

    what: str
    kind: str
    subject: str
    author: str
    reason: str
    at: float
    value: str = ""
    until: float | None = None


refusals = logging.getLogger("pumpguard.decisions")


def log_refusal(decision: Decision) -> None:
    """One line for a refusal (INFO, ``pumpguard.decisions``), with its facts in ``extra``, number
    and address masked: structlog and JSON formatters pass them on."""
    if not refusals.isEnabledFor(logging.INFO):
        return
    attempt, finding = decision.attempt, decision.finding
    rule, code = ("", "") if finding is None else (finding.rule, finding.code)
    number, network = decision.masked_number, attempt.client.masked
    country = attempt.phone.country
    text = "%s %s %s (%s) for %s: %s %s"
    facts = {
        "action": str(decision.action), "reference": decision.reference, "rule": rule, "code": code,
        "number": number, "country": country, "network": network,
        "client_country": attempt.client.country, "price": attempt.price, "known": decision.known,
        "degraded": decision.degraded, "retry_after": decision.retry_after,
    }  # fmt: skip
    words = decision.action, decision.reference, number, country, network, rule, code
    refusals.info(text, *words, extra=facts)


class Listener:
    """Hears what it overrides. ``name`` is how the log calls one that raises, ``dropped`` counts
    what it could not pass on."""

    name = "a listener"
    dropped = 0

    def answering(self, decision: Decision) -> None:
        """A request over HTTP is about to be answered by this decision; its client waits."""

    def decided(self, recorded: Recorded) -> None:
        """A request was decided about and answered."""

    def outcome(self, became: Became) -> None:
        """It is known what became of a message."""

    def reported(self, reported: Reported) -> None:
        """A provider has said what became of a message."""

    def overridden(self, change: Change) -> None:
        """This process has changed an override."""

    def alerted(self, alert: Alert) -> None:
        """An alert was raised by this process."""

    async def aclose(self) -> None:
        """The guard closes: do what is left. Its store still answers."""


class OnDecision(Listener):
    """A callback for decisions alone."""

    name = "on_decision"

    def __init__(self, on_decision: Callable[[Decision], None]) -> None:
        self._on_decision = on_decision

    def decided(self, recorded: Recorded) -> None:
        self._on_decision(recorded.decision)


class Listeners(list[Listener]):
    """All of a guard's; one that raises is said (``PG044``) and stops no other."""

    def __init__(
        self, notices: Notices, on_decision: Callable[[Decision], None] | None = None
    ) -> None:
        super().__init__([] if on_decision is None else [OnDecision(on_decision)])
        self._notices = notices
        self.on_refusal: Callable[[Decision], None] | None = None
        """Hears refusals alone, also where nobody listens."""

    def answering(self, decision: Decision) -> None:
        for listener in self:
            if type(listener).answering is Listener.answering:
                continue  # as of nearly all, and the client waits
            try:
                listener.answering(decision)
            except Exception:
                self._failed(listener)

    def record(self, decision: Decision, at: float, watched: WatchedRequest | None) -> None:
        """Pass on a decision, with what was seen of its request, if there is one."""
        if decision.action:
            log_refusal(decision)
            if self.on_refusal is not None:
                self.on_refusal(decision)
        if not self:
            return
        seen = (None, None) if watched is None else (watched.seconds, watched.exchange)
        self.decided(Recorded(decision, at, *seen))

    def decided(self, recorded: Recorded) -> None:
        for listener in self:  # as `_tell` does, and twice as fast
            try:
                listener.decided(recorded)
            except Exception:
                self._failed(listener)

    def outcome(self, became: Became) -> None:
        self._tell(lambda listener: listener.outcome(became))

    def reported(self, reported: Reported) -> None:
        self._tell(lambda listener: listener.reported(reported))

    def overridden(self, change: Change) -> None:
        self._tell(lambda listener: listener.overridden(change))

    def alerted(self, alert: Alert) -> None:
        self._tell(lambda listener: listener.alerted(alert))

    async def aclose(self) -> None:
        for listener in self:
            try:
                await listener.aclose()
            except Exception:
                self._failed(listener)

    def _tell(self, tell: Callable[[Listener], None]) -> None:
        for listener in self:
            try:
                tell(listener)
            except Exception:
                self._failed(listener)

    def _failed(self, listener: Listener) -> None:
        text = "%s has raised an exception; the decision holds"
        name = listener.name
        self._notices.say("PG044", name, text, name, level=logging.ERROR, exc_info=True)


class WatchedRequest:
    """A ``send`` that notes for listeners what a request was, how it was answered, and how long
    reading and deciding took. Nobody watches where nobody listens."""

    def __init__(self, scope: Scope, send: Send, listeners: Listeners) -> None:
        self.seconds: float | None = None
        self.status: int | None = None
        self._listeners = listeners
        self._scope, self._send, self._began = scope, send, perf_counter()

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        return self._send(message)

    def decided(self, decision: Decision) -> None:
        """Reading and deciding are over."""
        self.seconds = perf_counter() - self._began
        self._listeners.answering(decision)

    def raised(self) -> None:
        """The app has raised; unless it has answered before, that is an answer of 500."""
        self.status = self.status or 500

    @property
    def exchange(self) -> Exchange:
        """What is known of it now."""
        scope = self._scope
        return Exchange(scope["method"], scope["path"], scope.get("scheme", "http"), self.status)
