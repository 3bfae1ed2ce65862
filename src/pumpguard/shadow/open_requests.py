"""All requests of this process that an app is handling, for the senders it calls elsewhere."""

from __future__ import annotations

import time
from asyncio import AbstractEventLoop
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextvars import Token
from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakMethod

from pumpguard.decision import Action, Decision
from pumpguard.shadow.current import (
    CurrentRequest,
    DecideMore,
    SenderCall,
    current_call,
    current_request,
    handed_request,
)

if TYPE_CHECKING:
    from pumpguard.shadow.numbers import Spelt

NOTHING_SENT = frozenset((307, 308, *range(400, 1_000)))
"""Statuses of an app that has sent no message; after 307 and 308 the client asks again, at another
address."""

LINGER = 60.0
"""Seconds after the app's answer for which a request awaits the call of its sender."""

MAX_LINGERING = 10_000

MAX_HELD = 1_000
"""Decisions that the app holds, and may hand over, whose messages are counted: some 3 kB each."""

CallerToken = Token[CurrentRequest | None]


class OpenRequests:
    """The requests of this process that an app is handling, and for a minute those that it has
    answered without calling its sender. ``clock`` gives seconds of any kind."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._open: dict[str, list[CurrentRequest]] = {}
        self._lingering: deque[CurrentRequest] = deque()
        self._by_hand: dict[int, tuple[Decision, CurrentRequest]] = {}
        self._decide_stray: WeakMethod[DecideMore] | None = None
        self._loop: AbstractEventLoop | None = None
        self._counts = Counter[str]()

    def enter(self, request: CurrentRequest, around: CurrentRequest | None) -> CallerToken:
        """Make it the current one. The request of a guard ``around`` it stays above it."""
        if around is not None and around.answered_at is None:
            request.outer = around
        if request.decision is not None:
            request.digits = [request.decision.attempt.phone.e164[1:]]
            for other in request.others:
                request.digits.append(other.attempt.phone.e164[1:])
        with self._lock:
            self._loop = request.loop or self._loop
            if request.outer is not None and request.outer.digits == request.digits:
                self._remove(request.outer)
            for digits in request.digits:
                self._open.setdefault(digits, []).append(request)
        return current_request.set(request)

    def leave(self, request: CurrentRequest, token: CallerToken | None, status: int | None) -> None:
        """The app is done with it, its background tasks too, and has answered with that status.
        Without a ``token`` it stays the current one."""
        if token is not None:
            current_request.reset(token)
        with self._lock:
            now = request.answered_at = self._clock()
            if request.calls > len(request.others) or status in NOTHING_SENT:
                self._remove(request)
            elif request.digits and request in self._open.get(request.digits[0], ()):
                self._lingering.append(request)
            waiting = self._lingering
            while waiting and (
                len(waiting) > MAX_LINGERING
                or waiting[0].calls > len(waiting[0].others)
                or (waiting[0].answered_at or 0.0) < now - LINGER
            ):
                self._remove(waiting.popleft())

    def assess(self, request: CurrentRequest) -> None:
        """Make it the current one of whoever asked, from now on."""
        request.assessed = True
        self.enter(request, current_request.get())
        if request.decision is not None:
            self.by_hand(request.decision)
        self.leave(request, None, None)

    def claim(
        self,
        numbers: Sequence[Spelt],
        call: SenderCall | None = None,
        *,
        names_its_own: bool = False,
    ) -> tuple[CurrentRequest | None, bool]:
        """The request that a sender is called for, and whether it was decided about this message;
        then the call is counted. That of the context, unless it is an old one and another's number
        is sent to; otherwise the oldest one of that number without a call.

        A sender that ``names_its_own`` number among its arguments, as it has done before, means
        another one where it names others alone."""
        call = call or SenderCall(None)
        current = current_request.get()
        with self._lock:
            request = self._asking(current, numbers)
            if request is None:
                return self._stray(call)
            stranger = names_its_own and bool(numbers) and not request.means(numbers)
            covered = request.covers(call, stranger=stranger)
            if covered:
                request.called()
        return request, covered

    def count_strays(self, counts: Counter[str]) -> None:
        """Count the messages that are sent under no decision there (``sent_undecided``)."""
        self._counts = counts

    def decide_strays(self, decide: DecideMore) -> None:
        """Have this method decide about messages under no decision, while its object lives."""
        self._decide_stray = WeakMethod(decide)

    def _stray(self, call: SenderCall) -> tuple[CurrentRequest | None, bool]:
        decide = self._decide_stray() if self._decide_stray is not None else None
        if decide is None:
            self._counts["sent_undecided"] += 1
            return None, True
        around = current_call.get()
        request = around.request if around is not None else None  # within another stray
        if request is None or request.decision is not None or around not in request.sending:
            request = CurrentRequest(None, more=decide, loop=self._loop)
        return request, request.covers(call, stranger=True)

    def of(self, decision: Decision) -> CurrentRequest | None:
        """The open request of this very decision, or of one in a guard inside that guard."""
        with self._lock:
            for each in self._open.get(decision.attempt.phone.e164[1:], ()):
                if any(own is decision for nested in each.chain() for own in nested.decisions):
                    return each
        return None

    def by_hand(self, decision: Decision) -> CurrentRequest:
        """The request of a decision that the app holds. It counts what is sent by it, also when the
        app has answered; a decision of no request gets one."""
        request = self.of(decision)
        with self._lock:
            _, known = self._by_hand.get(id(decision), (decision, None))
            decide = self._decide_stray() if self._decide_stray is not None else None
            request = request or known or CurrentRequest(decision, more=decide, loop=self._loop)
            self._by_hand[id(decision)] = decision, request  # which keeps the id its own
            if len(self._by_hand) > MAX_HELD:
                del self._by_hand[next(iter(self._by_hand))]
            return request

    def awaiting(self) -> list[CurrentRequest]:
        """Shadows that the app has answered without calling its sender."""
        with self._lock:
            return [
                each for each in self._lingering if not each.tried and each.action is Action.SHADOW
            ]

    def clear(self) -> None:
        """Forget all of them, and who decides about messages under no decision."""
        with self._lock:
            self._decide_stray = None
            self._open.clear()
            self._lingering.clear()
            self._by_hand.clear()

    def _asking(
        self, current: CurrentRequest | None, numbers: Sequence[Spelt]
    ) -> CurrentRequest | None:
        if current is None or current.decision is None or current is handed_request.get():
            return current or self._found(numbers)
        own = any(each.means(numbers) for each in current.chain())
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
        old, called = self._is_old(current), current.calls > 0
        if not numbers:
            return old and called
        # One that it may be about is decided about as one more of its messages.
        more = current.more is not None and current.strictest().action is Action.ALLOW
        return old or current.assessed or (called and not more)

    def _is_old(self, request: CurrentRequest) -> bool:
        return request.answered_at is not None and self._clock() - request.answered_at > LINGER

    def _found(self, numbers: Sequence[Spelt]) -> CurrentRequest | None:
        """The oldest open request of one of these numbers without a call, or the newest that the
        app still handles."""
        for spelt in numbers:
            known = self._open.get(spelt.digits)
            if known is None and not spelt.international:
                known = [e for each in self._open.values() for e in each if e.means([spelt])]
            for request in known or ():
                if request.calls <= len(request.others) and not self._is_old(request):
                    return request
            for request in reversed(known or ()):
                if request.answered_at is None:
                    return request
        return None

    def _remove(self, request: CurrentRequest) -> None:
        for digits in request.digits:
            known = self._open.get(digits, [])
            if request in known:
                known.remove(request)
                if not known:
                    del self._open[digits]


OPEN = OpenRequests()
"""Those of this process."""
