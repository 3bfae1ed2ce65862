"""The last gate: the function that really sends, wrapped so that a shadow sends nothing."""

from __future__ import annotations

import functools
import inspect
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, ParamSpec, TypeGuard, TypeVar, cast

from pumpguard.decision import Action
from pumpguard.errors import MessageNotSent
from pumpguard.shadow.carry import request_of
from pumpguard.shadow.current import CurrentRequest, SendOutcome
from pumpguard.shadow.latency import LatencyModel, PreciseSleep, SendTiming
from pumpguard.shadow.more import decided, decided_here
from pumpguard.shadow.numbers import Spelt, numbers_in
from pumpguard.shadow.open_requests import OPEN
from pumpguard.shadow.stand_in import StandIns

P = ParamSpec("P")
R = TypeVar("R")

PROVIDER_FAILURES: tuple[type[BaseException], ...] = (OSError,)
"""Connections and deadlines (``TimeoutError`` is one): about the provider and no number."""

LEARNT: Any = StandIns
"""Under a shadow, return what is like the newest real results."""

CARRIED = "pumpguard_decision"
"""The argument of a wrapped function by which a decision is handed to it."""


def sender(
    send: Callable[P, R],
    shadowed: Any = LEARNT,
    *,
    failures: tuple[type[BaseException], ...] = PROVIDER_FAILURES,
    timeouts: tuple[type[BaseException], ...] = (),
    latency: LatencyModel | None = None,
    pace: LatencyModel | None = None,
) -> Callable[P, R]:
    """Wrap the function that sends messages; plain and ``async`` ones alike.

    Under a shadow decision ``send`` is not called, and the caller gets what real sends lately
    returned, with ids of its own (`pumpguard.shadow.stand_in`), or ``shadowed``: give it what your
    app expects of a provider (such as `pumpguard.like` makes), a function that makes one from the
    same arguments, or ``None`` if nobody reads it. It takes as long as real sends recently took,
    and fails as often with the errors in ``failures``: those that say something of the provider,
    and nothing of a number. ``latency`` is the model that these times are drawn from, if you know
    them beforehand; ``pace`` is its old name, and goes with the next release.

    The decision is that of the request being handled. Elsewhere it is found by the number among
    the arguments (`pumpguard.shadow.current`), or handed over by `Guard.resume` or as the argument
    ``pumpguard_decision``, a decision or a token, which ``send`` does not get. Under no decision,
    ``send`` is called as always. A message beyond those that the request was decided about is
    decided about then (`pumpguard.shadow.more`). Under any other refusal, the wrapped function
    raises `MessageNotSent`, and `TicketError` for a token that nobody here can read.

    A call that raises has sent nothing, unless it is a timeout: a `TimeoutError`, one of
    ``timeouts``, or an error that is called so. Then it counts as sent.
    """
    if pace is not None:
        warnings.warn("sender(pace=…) is now latency=…", DeprecationWarning, stacklevel=2)
    gate = Gate(latency or pace or LatencyModel(), failures, timeouts)
    sleep = PreciseSleep()
    learnt = StandIns() if shadowed is LEARNT else None

    def stand_in(*args: P.args, **kwargs: P.kwargs) -> Any:
        if learnt is not None:
            return learnt.make(args, kwargs)
        return shadowed(*args, **kwargs) if callable(shadowed) else shadowed

    def passed(
        request: CurrentRequest | None, result: Any, *args: P.args, **kwargs: P.kwargs
    ) -> None:
        known = True if learnt is None else learnt.learn(result, args, kwargs)
        if request is not None:
            request.passed(known)

    @functools.wraps(send)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        begun = time.perf_counter()
        with gate.asked(args, kwargs) as asked:
            request = asked.request
            if asked.beyond is not None:
                request = decided_here(asked.beyond, asked.numbers)
            if gate.is_silent(request, asked.numbers):
                timing = gate.draw(request)
                result = stand_in(*args, **kwargs)
                if not request.simulated:
                    sleep.block_until(begun + timing.seconds)
                return cast(R, _outcome(timing, result))
            with gate.watched(request, begun):
                sent = send(*args, **kwargs)
        passed(request, sent, *args, **kwargs)
        return sent

    # An object may be called asynchronously too, by its own ``__call__``.
    if not any(map(inspect.iscoroutinefunction, (send, type(send).__call__))):
        return plain

    @functools.wraps(send)
    async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
        begun = time.perf_counter()
        with gate.asked(args, kwargs) as asked:
            request = asked.request
            if asked.beyond is not None:
                request = await decided(asked.beyond, asked.numbers)
            if gate.is_silent(request, asked.numbers):
                timing = gate.draw(request)
                result = stand_in(*args, **kwargs)
                result = await result if inspect.isawaitable(result) else result
                if not request.simulated:
                    await sleep.until(begun + timing.seconds)
                return _outcome(timing, result)
            with gate.watched(request, begun):
                sent = await cast(Any, send)(*args, **kwargs)
        passed(request, sent, *args, **kwargs)
        return sent

    return cast(Callable[P, R], asynchronous)


class Asked(NamedTuple):
    """One call of a wrapped sender: the request that it is for (``None`` under no decision), the
    numbers among its arguments, and the request again if this message is beyond what was decided
    about."""

    request: CurrentRequest | None
    numbers: Sequence[Spelt]
    beyond: CurrentRequest | None = None


class Gate:
    """What one wrapped sender knows: how long real sends take and fail, and whether it is given
    the number that it sends to."""

    def __init__(
        self,
        model: LatencyModel,
        failures: tuple[type[BaseException], ...],
        timeouts: tuple[type[BaseException], ...],
    ) -> None:
        self._model = model
        self._failures = failures
        self._timeouts = timeouts
        self._names_its_own = False

    @contextmanager
    def asked(self, args: Sequence[object], kwargs: dict[str, Any]) -> Iterator[Asked]:
        """One call, counted."""
        numbers = numbers_in((*args, *kwargs.values()))
        carried = kwargs.pop(CARRIED, None)
        if carried is not None:
            resumed = request_of(carried)
            resumed.called()
            yield Asked(resumed, numbers)
            return
        request, covered = OPEN.claim(numbers, self, names_its_own=self._names_its_own)
        if request is None:
            for shadow in OPEN.awaiting():
                if shadow.route is not None:
                    shadow.route.bypassed()
            yield Asked(None, numbers)
            return
        self._names_its_own = self._names_its_own or request.means(numbers)
        try:
            yield Asked(request, numbers, None if covered else request)
        finally:
            request.returned(self)

    def is_silent(
        self, request: CurrentRequest | None, numbers: Sequence[Spelt]
    ) -> TypeGuard[CurrentRequest]:
        """Whether nothing may be sent, and nobody may notice. Raises `MessageNotSent` if the
        request was refused, or is about another number than the token that came with it."""
        if request is None:
            return False
        if request.given_back:
            raise MessageNotSent("this request was answered as one that sends nothing")
        action = request.strictest().action
        if action not in (Action.ALLOW, Action.SHADOW) or not _is_for(request, numbers):
            request.came_to("not_sent")
            text = f"this request was refused ({action}), or was about another number"
            raise MessageNotSent(text)
        return action is Action.SHADOW

    def draw(self, request: CurrentRequest) -> SendTiming:
        """How long a shadow's call takes and what it raises; for the app, it comes to that."""
        timing = self._model.draw(request.region)
        failure = timing.failure
        outcome: SendOutcome = "sent" if failure is None else self._failed(failure)
        request.came_to(outcome)
        return timing

    @contextmanager
    def watched(self, request: CurrentRequest | None, begun: float) -> Iterator[None]:
        """Note what comes of one real send, and let the model learn its time, and its failure.
        Errors other than ``failures`` are about this number, or a bug: they say nothing of the next
        send."""
        country = request.region if request is not None else None
        outcome: SendOutcome = "sent"
        try:
            yield
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


def _outcome(timing: SendTiming, result: Any) -> Any:
    if timing.failure is not None:
        raise timing.failure
    return result
