"""The last gate: the function that really sends, wrapped so that a shadow sends nothing."""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial, wraps
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakSet

from pumpguard.config import require
from pumpguard.decision import Action
from pumpguard.errors import MessageNotSent
from pumpguard.shadow.carry import request_of
from pumpguard.shadow.current import OPEN, CurrentRequest, SendOutcome
from pumpguard.shadow.latency import LatencyModel, PreciseSleep, SendTiming
from pumpguard.shadow.numbers import Spelt, numbers_in
from pumpguard.shadow.stand_in import StandIns

P = ParamSpec("P")
R = TypeVar("R")

PROVIDER_FAILURES: tuple[type[BaseException], ...] = (OSError,)
"""Connections and deadlines (``TimeoutError`` is one): about the provider and no number."""

LEARNT: Any = StandIns
"""Under a shadow, return what is like the newest real results."""

CARRIED = "pumpguard_decision"
"""The argument of a wrapped function by which a decision is handed to it."""


_wrapped: WeakSet[Callable[..., Any]] = WeakSet()
"""All that is wrapped in this process."""


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
    ``send`` is called as always. Under any other refusal, the wrapped function raises
    `MessageNotSent`, and `TicketError` for a token that nobody here can read.

    A plain function that returns an awaitable, as a decorator or a lambda around an ``async`` one
    does, is known for it by its first message. A function is wrapped once: raises `PolicyError` for
    one that is, and for what is no function.

    A call that raises has sent nothing, unless it is a timeout: a `TimeoutError`, one of
    ``timeouts``, or an error that is called so. Then it counts as sent.
    """
    if pace is not None:
        warnings.warn("sender(pace=…) is now latency=…", DeprecationWarning, stacklevel=2)
    require(callable(send), "send", "the function that sends, not what it returns", send)
    new = not isinstance(send, FunctionType) or send not in _wrapped
    require(new, "send", "a function that is not wrapped yet", send)
    model = latency or pace or LatencyModel()
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

    def watched(request: CurrentRequest | None, begun: float) -> AbstractContextManager[None]:
        return _watched(request, model, failures, timeouts, begun)

    awaits = any(map(inspect.iscoroutinefunction, (send, type(send).__call__)))

    @wraps(send)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        nonlocal awaits
        if awaits:  # as its first message has shown
            return cast(R, asynchronous(*args, **kwargs))
        begun = time.perf_counter()
        request = _asked(args, kwargs)
        if request is not None and request.strictest().action is Action.SHADOW:
            timing = model.draw(request.region)
            request.came_to(_as_if(timing, timeouts))
            result = stand_in(*args, **kwargs)
            if not request.simulated:
                sleep.block_until(begun + timing.seconds)
            return cast(R, _outcome(timing, result))
        try:
            sent = send(*args, **kwargs)
        except BaseException:
            with watched(request, begun):
                raise
        if inspect.isawaitable(sent):
            awaits = True
            return cast(R, finish(request, begun, lambda: sent, *args, **kwargs))
        with watched(request, begun):
            pass
        passed(request, sent, *args, **kwargs)
        return sent

    @wraps(send)
    async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
        begun = time.perf_counter()
        request = _asked(args, kwargs)
        if request is not None and request.strictest().action is Action.SHADOW:
            timing = model.draw(request.region)
            request.came_to(_as_if(timing, timeouts))
            result = stand_in(*args, **kwargs)
            result = await result if inspect.isawaitable(result) else result
            if not request.simulated:
                await sleep.until(begun + timing.seconds)
            return _outcome(timing, result)
        return await finish(request, begun, partial(send, *args, **kwargs), *args, **kwargs)

    async def finish(
        request: CurrentRequest | None,
        begun: float,
        start: Callable[[], Any],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Any:
        with watched(request, begun):
            sent = await start()
        passed(request, sent, *args, **kwargs)
        return sent

    # An object may be called asynchronously too, by its own ``__call__``.
    wrapped = cast(Callable[P, R], asynchronous if awaits else plain)
    _wrapped.add(wrapped)
    return wrapped


def _asked(args: Sequence[object], kwargs: dict[str, Any]) -> CurrentRequest | None:
    """The request that this call of a sender is for, with the call counted; ``None`` under no
    decision. Raises `MessageNotSent` if it was refused, or if it is about another number than the
    token that came with it."""
    numbers = numbers_in((*args, *kwargs.values()))
    carried = kwargs.pop(CARRIED, None)
    if carried is None:
        request = OPEN.claim(numbers)
    else:
        request = request_of(carried)
        request.called()
    if request is None:
        for shadow in OPEN.awaiting():
            if shadow.route is not None:
                shadow.route.bypassed()
        return None
    if request.given_back:
        raise MessageNotSent("this request was answered as one that sends nothing")
    action = request.strictest().action
    if action not in (Action.ALLOW, Action.SHADOW) or not _is_for(request, numbers):
        request.came_to("not_sent")
        raise MessageNotSent(f"this request was refused ({action}), or was about another number")
    return request


def _is_for(request: CurrentRequest, numbers: Sequence[Spelt]) -> bool:
    """Whether a token's number may be among those; the caller's own spelling is not known."""
    reader, told = request.tokens, request.told_number
    if not told or reader is None or not all(spelt.international for spelt in numbers):
        return True
    return not numbers or any(reader.number(spelt.digits) == told for spelt in numbers)


@contextmanager
def _watched(
    request: CurrentRequest | None,
    model: LatencyModel,
    failures: tuple[type[BaseException], ...],
    timeouts: tuple[type[BaseException], ...],
    begun: float,
) -> Iterator[None]:
    """Note what comes of one real send, and let the model learn its time, and its failure. Errors
    other than ``failures`` are about this number, or a bug: they say nothing of the next send."""
    country = request.region if request is not None else None
    outcome: SendOutcome = "sent"
    try:
        yield
        model.add(time.perf_counter() - begun, country)
    except BaseException as error:
        if isinstance(error, failures):
            model.add(time.perf_counter() - begun, country, error)
        outcome = "unknown" if _timed_out(error, timeouts) else "not_sent"
        raise
    finally:
        if request is not None:
            request.came_to(outcome)


def _timed_out(error: BaseException, timeouts: tuple[type[BaseException], ...]) -> bool:
    """Whether the message may have gone out all the same. HTTP clients have timeouts of their own,
    which derive from nothing that they share."""
    if not isinstance(error, Exception):  # cancelled, or the process is being stopped
        return True
    named = any("Timeout" in kind.__name__ for kind in type(error).__mro__)
    return named or isinstance(error, timeouts)


def _as_if(timing: SendTiming, timeouts: tuple[type[BaseException], ...]) -> SendOutcome:
    """What a shadow's call comes to, as the app sees it."""
    if timing.failure is None:
        return "sent"
    return "unknown" if _timed_out(timing.failure, timeouts) else "not_sent"


def _outcome(timing: SendTiming, result: Any) -> Any:
    if timing.failure is not None:
        raise timing.failure
    return result
