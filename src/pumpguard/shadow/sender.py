"""The last gate: the function that really sends, wrapped so that a shadow sends nothing."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast
from weakref import WeakSet

from pumpguard.config import require
from pumpguard.shadow.current import CurrentRequest
from pumpguard.shadow.gate import Asked, Gate
from pumpguard.shadow.latency import LatencyModel, PreciseSleep, SendTiming
from pumpguard.shadow.more import decided, decided_here
from pumpguard.shadow.stand_in import StandIns

P = ParamSpec("P")
R = TypeVar("R")

PROVIDER_FAILURES: tuple[type[BaseException], ...] = (OSError,)
"""Connections and deadlines (``TimeoutError`` is one): about the provider and no number."""

LEARNT: Any = StandIns
"""Under a shadow, return what is like the newest real results."""


_wrapped: WeakSet[Callable[..., Any]] = WeakSet()
"""All that is wrapped in this process."""


def sender(
    send: Callable[P, R],
    shadowed: Any = LEARNT,
    *,
    failures: tuple[type[BaseException], ...] = PROVIDER_FAILURES,
    timeouts: tuple[type[BaseException], ...] = (),
    failed: Callable[[Any], object] | None = None,
    latency: LatencyModel | None = None,
) -> Callable[P, R]:
    """Wrap the function that sends messages; plain and ``async`` ones alike.

    Under a shadow decision ``send`` is not called, and the caller gets what real sends lately
    returned, with ids of its own (`pumpguard.shadow.stand_in`), or ``shadowed``: give it what your
    app expects of a provider (such as `pumpguard.like` makes), a function that makes one from the
    same arguments, or ``None`` if nobody reads it. It takes as long as real sends recently took,
    and fails as often with the errors in ``failures``: those that say something of the provider,
    and nothing of a number. ``latency`` is the model that these times are drawn from, if you know
    them beforehand.

    The decision is that of the request being handled. Elsewhere it is found by the number among
    the arguments (`pumpguard.shadow.current`), or handed over by `Guard.resume` or as the argument
    ``pumpguard_decision``, a decision or a token, which ``send`` does not get. Under no decision,
    ``send`` is called as always. A message beyond those that the request was decided about is
    decided about then (`pumpguard.shadow.more`). Under any other refusal, the wrapped function
    raises `MessageNotSent`, and `TicketError` for a token that nobody here can read.

    A plain function that returns an awaitable, as a decorator or a lambda around an ``async`` one
    does, is known for it by its first message. A function is wrapped once: raises `PolicyError` for
    one that is, and for what is no function.

    A call that raises has sent nothing, unless it is a timeout: a `TimeoutError`, one of
    ``timeouts``, or an error that is called so. Then it counts as sent. A provider's client that
    returns its errors needs ``failed``, which says of a result (of an ``async`` function's too)
    whether nothing was sent; what it raises is the caller's.
    """
    require(callable(send), "send", "the function that sends, not what it returns", send)
    new = not isinstance(send, FunctionType) or send not in _wrapped
    require(new, "send", "a function that is not wrapped yet", send)
    # An object may be called asynchronously too, by its own ``__call__``.
    awaits = any(map(inspect.iscoroutinefunction, (send, type(send).__call__)))
    gate = Gate(latency or LatencyModel(), failures, timeouts, failed)
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
        nonlocal awaits
        if awaits:  # as its first message has shown
            return cast(R, asynchronous(*args, **kwargs))
        begun = time.perf_counter()
        with gate.asked(args, kwargs) as asked:
            request = asked.request
            if asked.beyond is not None:
                request = decided_here(asked.beyond, asked.recipients)
            if gate.is_silent(request, asked.numbers):
                timing = gate.draw(request)
                result = stand_in(*args, **kwargs)
                if not request.simulated:
                    sleep.block_until(begun + timing.seconds)
                return cast(R, _outcome(timing, result))
            try:
                sent = send(*args, **kwargs)
            except BaseException:
                with gate.watched(request, begun):
                    raise
            if inspect.isawaitable(sent):
                awaits = True
                return cast(R, first(asked, request, begun, sent, *args, **kwargs))
            with gate.watched(request, begun) as returned:
                went_out = returned(sent)
        if went_out:
            passed(request, sent, *args, **kwargs)
        return sent

    async def first(
        asked: Asked,
        request: CurrentRequest | None,
        begun: float,
        sending: Any,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> Any:
        with gate.goes_on(asked), gate.watched(request, begun) as returned:
            sent = await sending
            went_out = returned(sent)
        if went_out:
            passed(request, sent, *args, **kwargs)
        return sent

    @functools.wraps(send)
    async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
        begun = time.perf_counter()
        with gate.asked(args, kwargs) as asked:
            request = asked.request
            if asked.beyond is not None:
                request = await decided(asked.beyond, asked.recipients)
            if gate.is_silent(request, asked.numbers):
                timing = gate.draw(request)
                result = stand_in(*args, **kwargs)
                result = await result if inspect.isawaitable(result) else result
                if not request.simulated:
                    await sleep.until(begun + timing.seconds)
                return _outcome(timing, result)
            with gate.watched(request, begun) as returned:
                sent = await cast(Any, send)(*args, **kwargs)
                went_out = returned(sent)
        if went_out:
            passed(request, sent, *args, **kwargs)
        return sent

    wrapped = cast(Callable[P, R], asynchronous if awaits else plain)
    _wrapped.add(wrapped)
    return wrapped


def _outcome(timing: SendTiming, result: Any) -> Any:
    if timing.failure is not None:
        raise timing.failure
    return result
