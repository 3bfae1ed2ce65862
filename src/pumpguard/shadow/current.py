"""The requests being handled, as the middleware and the wrapped sender both know them."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias

from pumpguard.decision import Action, Decision
from pumpguard.shadow.numbers import Spelt
from pumpguard.shadow.tokens import Carried, Tokens

if TYPE_CHECKING:
    from pumpguard.shadow.route_record import RouteRecord

SendOutcome: TypeAlias = Literal["sent", "not_sent", "unknown"]

CERTAINTY: dict[SendOutcome | None, int] = {None: 0, "not_sent": 1, "unknown": 2, "sent": 3}
"""Of several calls under one decision, the one that costs most says what became of them."""


DecideMore: TypeAlias = "Callable[[CurrentRequest, Sequence[Spelt]], Awaitable[CurrentRequest]]"
"""Decides about one more message of a request, to one of these numbers or to its own."""

_counting = Lock()


@dataclass(slots=True, eq=False)
class SenderCall:
    """One call of a wrapped sender, and the request that it is for. ``counted``: it took one of
    that request's messages; ``passed_on``: a wrapped one that it calls, for which it is the call
    ``around``, sends for it."""

    sender: object
    request: CurrentRequest | None = None
    counted: bool = False
    passed_on: bool = False
    around: SenderCall | None = None


@dataclass(slots=True, eq=False)
class CurrentRequest:
    """One decision, and what the app has made of it so far.

    ``calls`` is how often a wrapped sender was called under it, and ``outcome`` what came of that:
    ``sent`` (it returned, also under a shadow), ``not_sent`` (it raised) or ``unknown``
    (it timed out, or a token was taken to send elsewhere); ``None`` means that nothing was tried.
    In ``simulated`` time nothing waits. ``digits`` are its numbers without the plus,
    ``answered_at`` is when the app was done (by `time.monotonic`), ``outer`` the request of a guard
    around this one. ``given_back`` says that it is settled as one that sent nothing.
    ``others`` are the decisions about further numbers of the request, and ``covered`` of these
    messages were sent so far; ``more`` decides about any beyond them, on ``loop``. ``sending`` are
    the calls of wrapped senders that run for it now, and ``settle_failed`` is called if its message
    was not sent.
    A resumed ``token`` has no ``decision``: it has told the action and a keyed hash of its number.
    Nor has a websocket, all of whose messages are beyond what was decided.
    """

    decision: Decision | None
    simulated: bool = False
    route: RouteRecord | None = None
    tokens: Tokens | None = None
    told: Action = Action.ALLOW
    told_number: bytes = b""
    token: Carried | None = None
    digits: list[str] = field(default_factory=list)
    others: Sequence[Decision] = ()
    more: DecideMore | None = None
    loop: AbstractEventLoop | None = None
    settle_failed: Callable[[], None] | None = None
    covered: int = 0
    sending: list[SenderCall] = field(default_factory=list)
    assessed: bool = False
    outer: CurrentRequest | None = None
    answered_at: float | None = None
    calls: int = 0
    outcome: SendOutcome | None = None
    given_back: bool = False

    @property
    def action(self) -> Action:
        """What was decided."""
        return self.decision.action if self.decision is not None else self.told

    @property
    def region(self) -> str | None:
        """The number's country, where it is known."""
        return self.decision.attempt.phone.region if self.decision is not None else None

    @property
    def tried(self) -> bool:
        """Whether the app has done what sends a message."""
        return self.calls > 0 or self.outcome is not None

    @property
    def decisions(self) -> Iterator[Decision]:
        """Those about all its numbers."""
        if self.decision is not None:
            yield self.decision
            yield from self.others

    def means(self, numbers: Sequence[Spelt]) -> bool:
        """Whether one of them is one of its own."""
        phones = [decision.attempt.phone for decision in self.decisions]
        return any(spelt.means(phone) for spelt in numbers for phone in phones)

    def covers(self, call: SenderCall, *, stranger: bool) -> bool:
        """Whether this call of a wrapped sender is one of the messages that were decided about,
        which it then takes. The first call that another one makes is no message of its own. A
        ``stranger`` is another number than the request's. Under a shadow nothing is sent."""
        with _counting:
            around = self._around(call)
            self.sending.append(call)
            call.request = self
            if self.more is None or self.strictest().action is not Action.ALLOW:
                return True
            if around is not None and not around.passed_on:
                around.passed_on, call.around = True, around
                return True
            if stranger or self.covered >= sum(1 for _ in self.decisions):
                return False
            self.covered, call.counted = self.covered + 1, True
            return True

    def _around(self, call: SenderCall) -> SenderCall | None:
        """The call that makes this one. In a thread that has no context it is any of another
        sender that has made none."""
        if (current := current_call.get()) is not None:
            return current if current in self.sending else None
        if current_request.get() is not None:
            return None
        waiting = (each for each in self.sending if each.sender is not call.sender)
        return next((each for each in waiting if not each.passed_on), None)

    def returned(self, call: SenderCall) -> None:
        """That call is over."""
        with _counting:
            self.sending.remove(call)

    def chain(self) -> Iterator[CurrentRequest]:
        """This request, and those of the guards around it."""
        request: CurrentRequest | None = self
        while request is not None:
            yield request
            request = request.outer

    def strictest(self) -> CurrentRequest:
        """Of the guards that are nested here, the one whose decision holds."""
        return self if self.outer is None else max(self.chain(), key=lambda each: each.action)

    def called(self) -> None:
        """A wrapped sender was called."""
        for request in self.chain():
            request.calls += 1
            if request.route is not None:
                request.route.called(request)

    def came_to(self, outcome: SendOutcome) -> None:
        """What became of that call."""
        for request in self.chain():
            if CERTAINTY[outcome] > CERTAINTY[request.outcome]:
                request.outcome = outcome
            if outcome == "not_sent":
                request.failed()

    def failed(self) -> None:
        """The present call has sent nothing: another one may take its place."""
        call = current_call.get()
        if call is not None and call.request is self:
            with _counting:
                if call.around is not None:
                    call.around.passed_on = False
                elif call.counted:
                    self.covered, call.counted = self.covered - 1, False
        if self.settle_failed is not None:
            self.settle_failed()

    def handed_over(self) -> None:
        """The message will be sent elsewhere, by a token."""
        for request in self.chain():
            if request.route is not None and not request.tried:
                request.route.handed_over(request)
        self.came_to("unknown")

    def passed(self, has_stand_in: bool | None) -> None:
        """A message has passed the wrapped sender, and a shadow could return what it did, or not,
        or not yet."""
        for request in self.chain():
            if request.route is not None:
                request.route.passed(has_stand_in)


IN_SCOPE = "pumpguard.request"
"""Where a scope, or a WSGI environment, holds the request that the guard around has decided about.
A context says less: servers begin a connection's next request in that of the one before."""

current_request: ContextVar[CurrentRequest | None] = ContextVar("pumpguard_request", default=None)
"""Set by the middleware while the app handles a guarded request, and by `Guard.assess`."""
handed_request: ContextVar[CurrentRequest | None] = ContextVar("pumpguard_handed", default=None)
"""The one whose decision was handed over here: it is never another's, however old it is."""
current_call: ContextVar[SenderCall | None] = ContextVar("pumpguard_call", default=None)
