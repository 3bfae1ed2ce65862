"""The gate in front of the function that really sends: which decision a call of it is under."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple, TypeGuard

from pumpguard.decision import Action
from pumpguard.errors import MessageNotSent
from pumpguard.shadow.carry import resumed
from pumpguard.shadow.current import CurrentRequest, SenderCall, SendOutcome, current_call
from pumpguard.shadow.latency import LatencyModel, SendTiming
from pumpguard.shadow.numbers import Spelt, numbers_in
from pumpguard.shadow.open_requests import OPEN

CARRIED = "pumpguard_decision"
"""The argument of a wrapped function by which a decision is handed to it."""


MOST_SENT_FROM = 100
"""Numbers that are known as those that the app sends from."""


class Asked(NamedTuple):
    """One call of a wrapped sender: the request that it is for (``None`` under no decision), the
    numbers among its arguments, and the request again if this message is ``beyond`` what was
    decided about; then it may go to any of ``recipients``."""

    request: CurrentRequest | None
    numbers: Sequence[Spelt]
    beyond: CurrentRequest | None = None
    recipients: Sequence[Spelt] = ()
    call: SenderCall | None = None


class Gate:
    """What one wrapped sender knows: how long real sends take and fail, and whether it is given
    the number that it sends to."""

    def __init__(
        self,
        model: LatencyModel,
        failures: tuple[type[BaseException], ...],
        timeouts: tuple[type[BaseException], ...],
        failed: Callable[[Any], object] | None = None,
    ) -> None:
        self._model = model
        self._failures = failures
        self._timeouts = timeouts
        self._says_failed = failed
        self._names_its_own = False
        self._sends_from: set[str] = set()

    @contextmanager
    def asked(self, args: Sequence[object], kwargs: dict[str, Any]) -> Iterator[Asked]:
        """One call, counted."""
        numbers = numbers_in((*args, *kwargs.values()))
        carried = kwargs.pop(CARRIED, None)
        call, around = SenderCall(self), current_call.get()
        with nullcontext() if carried is None else resumed(carried):
            request, covered = OPEN.claim(numbers, call, names_its_own=self._names_its_own)
        if request is None:
            for shadow in OPEN.awaiting():
                if shadow.route is not None:
                    shadow.route.bypassed()
            yield Asked(None, numbers)
            return
        self._names_its_own = self._names_its_own or request.means(numbers)
        current_call.set(call)
        try:
            beyond = None if covered else request
            yield Asked(request, numbers, beyond, self._recipients(request, numbers), call)
        finally:
            current_call.set(around)
            request.returned(call)

    def _recipients(self, request: CurrentRequest, numbers: Sequence[Spelt]) -> Sequence[Spelt]:
        """Those numbers without the ones that the app sends from: they have stood beside a
        request's own."""
        if len(numbers) < 2:
            return numbers
        if request.means(numbers) and len(self._sends_from) < MOST_SENT_FROM:
            self._sends_from |= {each.digits for each in numbers if not request.means([each])}
        return [each for each in numbers if each.digits not in self._sends_from] or numbers

    @contextmanager
    def goes_on(self, asked: Asked) -> Iterator[None]:
        """The rest of a call that has turned out to be asynchronous."""
        call, around = asked.call or SenderCall(self), current_call.get()
        if asked.request is not None:
            asked.request.sending.append(call)
            call.request = asked.request
        current_call.set(call)
        try:
            yield
        finally:
            current_call.set(around)
            if asked.request is not None:
                asked.request.returned(call)

    def is_silent(
        self, request: CurrentRequest | None, numbers: Sequence[Spelt]
    ) -> TypeGuard[CurrentRequest]:
        """Whether nothing may be sent, and nobody may notice. Raises `MessageNotSent` if the
        request was refused, or is about another number than the token that came with it."""
        if request is None:
            return False
        if request.given_back and request.more is not None:  # a policy that monitors has none
            raise MessageNotSent("this request was answered as one that sends nothing")
        action = request.strictest().action
        refused = action not in (Action.ALLOW, Action.SHADOW)
        if refused or not _is_for(request, numbers):
            request.came_to("not_sent")
            text = f"was refused ({action})" if refused else "is about another number"
            raise MessageNotSent(f"this message {text}")
        return action is Action.SHADOW

    def draw(self, request: CurrentRequest) -> SendTiming:
        """How long a shadow's call takes and what it raises; for the app, it comes to that."""
        timing = self._model.draw(request.region)
        failure = timing.failure
        outcome: SendOutcome = "sent" if failure is None else self._failed(failure)
        request.came_to(outcome)
        return timing

    @contextmanager
    def watched(
        self, request: CurrentRequest | None, begun: float
    ) -> Iterator[Callable[[object], bool]]:
        """Note what comes of one real send, and let the model learn its time, and its failure. It
        is told the result, and says whether a message went out.
        Errors other than ``failures`` are about this number, or a bug: they say nothing of the next
        send."""
        country = request.region if request is not None else None
        outcome: SendOutcome = "sent"

        def returned(result: object) -> bool:
            nonlocal outcome
            if self._says_failed is not None and self._says_failed(result):
                outcome = "not_sent"
            return outcome == "sent"

        try:
            yield returned
            self._model.add(time.perf_counter() - begun, country)
        except BaseException as error:
            if isinstance(error, self._failures):
                self._model.add(time.perf_counter() - begun, country, error)
            outcome = self._failed(error)
            raise
        finally:
            if request is not None:
                request.came_to(outcome)

    def _failed(self, error: BaseException) -> SendOutcome:
        """Of a call that has raised: the message may have gone out all the same. HTTP clients have
        timeouts of their own, which derive from nothing that they share."""
        if not isinstance(error, Exception):  # cancelled, or the process is being stopped
            return "unknown"
        named = any("Timeout" in kind.__name__ for kind in type(error).__mro__)
        return "unknown" if named or isinstance(error, self._timeouts) else "not_sent"


def _is_for(request: CurrentRequest, numbers: Sequence[Spelt]) -> bool:
    """Whether a token's number may be among those; the caller's own spelling is not known."""
    reader, told = request.tokens, request.told_number
    if not told or reader is None or not all(spelt.international for spelt in numbers):
        return True
    return not numbers or any(reader.number(spelt.digits) == told for spelt in numbers)
