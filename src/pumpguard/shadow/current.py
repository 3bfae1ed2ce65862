"""The requests being handled, as the middleware and the wrapped sender both know them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar, Token
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal, TypeAlias

from pumpguard.decision import Action, Decision

if TYPE_CHECKING:
    from pumpguard.shadow.numbers import Spelt
    from pumpguard.shadow.route_record import RouteRecord
    from pumpguard.shadow.tokens import Tokens

SendOutcome: TypeAlias = Literal["sent", "not_sent", "unknown"]

CERTAINTY: dict[SendOutcome | None, int] = {None: 0, "not_sent": 1, "unknown": 2, "sent": 3}
"""Of several calls under one decision, the one that costs most says what became of them."""


@dataclass(slots=True, eq=False)
class CurrentRequest:
    """One decision, and what the app has made of it so far.

    ``calls`` is how often a wrapped sender was called under it, and ``outcome`` what came of that:
    ``sent`` (it returned, also under a shadow), ``not_sent`` (it raised) or ``unknown``
    (it timed out, or a token was taken to send elsewhere); ``None`` means that nothing was tried.
    In ``simulated`` time nothing waits. ``digits`` is its number without the plus, ``answered_at``
    when the app was done (by `time.monotonic`), ``outer`` the request of a guard around this one.
    ``given_back`` says that it is settled as one that sent nothing.
    Only a resumed token has no ``decision``: it has told the action and a keyed hash of its number.
    """

    decision: Decision | None
    simulated: bool = False
    route: RouteRecord | None = None
    tokens: Tokens | None = None
    told: Action = Action.ALLOW
    told_number: bytes = b""
    digits: str = ""
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


current_request: ContextVar[CurrentRequest | None] = ContextVar("pumpguard_request", default=None)
"""Set by the middleware while the app handles a guarded request, and by `Guard.assess`."""

NOTHING_SENT = frozenset((307, 308, *range(400, 1_000)))
"""Statuses of an app that has sent no message; after 307 and 308 the client asks again, at another
address."""

LINGER = 60.0
"""Seconds after the app's answer for which a request awaits the call of its sender."""

MAX_LINGERING = 10_000

CallerToken = Token[CurrentRequest | None]


class OpenRequests:
    """The requests of this process that an app is handling, and for a minute those that it has
    answered without calling its sender. ``clock`` gives seconds of any kind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._open: dict[str, list[CurrentRequest]] = {}
        self._lingering: deque[CurrentRequest] = deque()

    def enter(self, request: CurrentRequest) -> CallerToken:
        """Make it the current one. The request of a guard around it stays above it."""
        around = current_request.get()
        if around is not None and around.answered_at is None:
            request.outer = around
        if request.decision is not None:
            request.digits = request.decision.attempt.phone.e164[1:]
        with self._lock:
            if request.outer is not None and request.outer.digits == request.digits:
                self._remove(request.outer)
            self._open.setdefault(request.digits, []).append(request)
        return current_request.set(request)

    def leave(self, request: CurrentRequest, token: CallerToken, status: int | None) -> None:
        """The app is done with it, its background tasks too, and has answered with that status."""
        current_request.reset(token)
        self._done(request, awaits=status not in NOTHING_SENT)

    def assess(self, request: CurrentRequest) -> None:
        """Make it the current one of whoever asked, from now on."""
        request.assessed = True
        self.enter(request)
        self._done(request)

    def claim(self, numbers: Sequence[Spelt]) -> CurrentRequest | None:
        """The request that a sender is called for, and count the call. That of the context, unless
        it is an old one and another's number is sent to; otherwise the oldest one of that number
        without a call."""
        current = current_request.get()
        with self._lock:
            request = self._asking(current, numbers)
            if request is not None:
                request.called()
        return request

    def of(self, decision: Decision) -> CurrentRequest | None:
        """The open request of this very decision."""
        with self._lock:
            known = self._open.get(decision.attempt.phone.e164[1:], ())
            return next((each for each in known if each.decision is decision), None)

    def awaiting(self) -> list[CurrentRequest]:
        """Shadows that the app has answered without calling its sender."""
        with self._lock:
            return [
                each for each in self._lingering if not each.tried and each.action is Action.SHADOW
            ]

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._open.clear()
            self._lingering.clear()

    def _asking(
        self, current: CurrentRequest | None, numbers: Sequence[Spelt]
    ) -> CurrentRequest | None:
        if current is None or current.decision is None:
            return current or self._found(numbers)
        own = any(_means(spelt, each) for each in current.chain() for spelt in numbers)
        fresh = current.answered_at is None or not current.calls
        if (own and fresh) or (not numbers and current.answered_at is None):
            return current
        return self._found(numbers) or (
            current if own or not self._stale(current, numbers) else None
        )

    def _stale(self, current: CurrentRequest, numbers: Sequence[Spelt]) -> bool:
        """Whether the context is another's: a worker that a request has started keeps that
        request's for ever."""
        if current.answered_at is None:
            return False
        old = self._is_old(current)
        return (
            old or current.calls > 0 or current.assessed if numbers else old and current.calls > 0
        )

    def _is_old(self, request: CurrentRequest) -> bool:
        return request.answered_at is not None and self._clock() - request.answered_at > LINGER

    def _found(self, numbers: Sequence[Spelt]) -> CurrentRequest | None:
        """The oldest open request of one of these numbers without a call, or the newest that the
        app still handles."""
        for spelt in numbers:
            known = self._open.get(spelt.digits)
            if known is None and not spelt.international:
                known = [e for each in self._open.values() for e in each if _means(spelt, e)]
            for request in known or ():
                if not request.calls and not self._is_old(request):
                    return request
            for request in reversed(known or ()):
                if request.answered_at is None:
                    return request
        return None

    def _done(self, request: CurrentRequest, awaits: bool = True) -> None:
        with self._lock:
            now = request.answered_at = self._clock()
            if request.calls or not awaits:
                self._remove(request)
            elif request in self._open.get(request.digits, ()):
                self._lingering.append(request)
            waiting = self._lingering
            while waiting and (
                len(waiting) > MAX_LINGERING
                or waiting[0].calls
                or (waiting[0].answered_at or 0.0) < now - LINGER
            ):
                self._remove(waiting.popleft())

    def _remove(self, request: CurrentRequest) -> None:
        known = self._open.get(request.digits, [])
        if request in known:
            known.remove(request)
            if not known:
                del self._open[request.digits]


def _means(spelt: Spelt, request: CurrentRequest) -> bool:
    return request.decision is not None and spelt.means(request.decision.attempt.phone)


OPEN = OpenRequests()
"""Those of this process."""
