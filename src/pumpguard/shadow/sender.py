"""The last gate: the function that really sends, wrapped so that a shadow sends nothing."""

from __future__ import annotations

import functools
import inspect
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Literal, ParamSpec, TypeVar, cast

from pumpguard.decision import Action, Decision
from pumpguard.errors import MessageNotSent
from pumpguard.shadow.latency import LatencyModel, PreciseSleep, SendTiming

P = ParamSpec("P")
R = TypeVar("R")

PROVIDER_FAILURES: tuple[type[BaseException], ...] = (OSError,)
"""Connections and deadlines (``TimeoutError`` is one): about the provider and no number."""


@dataclass(slots=True, eq=False)
class CurrentRequest:
    """The decision about the request being handled; in simulated time, nothing waits.

    ``calls`` is how often its wrapped sender was called, ``outcome`` what became of that;
    ``given_back`` says that the request is settled as one that sent nothing.
    """

    decision: Decision
    simulated: bool = False
    calls: int = 0
    outcome: Literal["sent", "not_sent", "unknown"] | None = None
    given_back: bool = False


current_request: ContextVar[CurrentRequest | None] = ContextVar("pumpguard_request", default=None)
"""Set by the middleware while the app handles a guarded request."""

_wrapped = False


def current_decision() -> Decision | None:
    """The decision about the request being handled, or ``None`` outside a guarded one."""
    request = current_request.get()
    return None if request is None else request.decision


def has_sender() -> bool:
    """Whether this process has wrapped a sender, without which a shadow's message would be sent."""
    return _wrapped


def sender(
    send: Callable[P, R],
    shadowed: Any = None,
    *,
    failures: tuple[type[BaseException], ...] = PROVIDER_FAILURES,
    latency: LatencyModel | None = None,
    pace: LatencyModel | None = None,
) -> Callable[P, R]:
    """Wrap the function that sends messages; plain and ``async`` ones alike.

    Under a shadow decision ``send`` is not called, and the caller gets ``shadowed``: give it what
    your app expects of a provider (such as `pumpguard.like` makes), or a function that makes one
    from the same arguments. It takes as long as real sends recently took, and fails as often with
    the errors in ``failures``: those that say something of the provider, and nothing of a number.
    ``latency`` is the model that these times are drawn from, if you know them beforehand.
    ``pace`` is its old name, and goes with the next release.

    Outside a guarded request, ``send`` is called as always. Under any other refusal, the wrapped
    function raises `MessageNotSent`.
    """
    global _wrapped
    _wrapped = True
    if pace is not None:
        warnings.warn("sender(pace=…) is now latency=…", DeprecationWarning, stacklevel=2)
    model = latency or pace or LatencyModel()
    sleep = PreciseSleep()

    @functools.wraps(send)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        begun = time.perf_counter()
        request = _shadowed_request()
        if request is not None:
            timing = model.draw(request.decision.attempt.phone.region)
            result = shadowed(*args, **kwargs) if callable(shadowed) else shadowed
            if not request.simulated:
                sleep.block_until(begun + timing.seconds)
            return cast(R, _outcome(timing, result))
        with _timed(model, failures, begun):
            return send(*args, **kwargs)

    # An object may be called asynchronously too, by its own ``__call__``.
    if not any(map(inspect.iscoroutinefunction, (send, type(send).__call__))):
        return plain

    @functools.wraps(send)
    async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
        begun = time.perf_counter()
        request = _shadowed_request()
        if request is not None:
            timing = model.draw(request.decision.attempt.phone.region)
            result = shadowed(*args, **kwargs) if callable(shadowed) else shadowed
            result = await result if inspect.isawaitable(result) else result
            if not request.simulated:
                await sleep.until(begun + timing.seconds)
            return _outcome(timing, result)
        with _timed(model, failures, begun):
            return await cast(Any, send)(*args, **kwargs)

    return cast(Callable[P, R], asynchronous)


@contextmanager
def _timed(
    model: LatencyModel, failures: tuple[type[BaseException], ...], begun: float
) -> Iterator[None]:
    """Let the model learn the time of one real send, and its failure. Errors other than
    ``failures`` are about this number, or a bug: they say nothing of the next send."""
    request = current_request.get()
    country = request.decision.attempt.phone.region if request else None
    try:
        yield
    except BaseException as error:
        if request is not None and request.outcome is None:
            request.outcome = "unknown" if _may_have_sent(error) else "not_sent"
        if isinstance(error, failures):
            model.add(time.perf_counter() - begun, country, error)
        raise
    if request is not None:
        request.outcome = "sent"
    model.add(time.perf_counter() - begun, country)


def _may_have_sent(error: BaseException) -> bool:
    """Whether the provider may have had the message: it has not said so in time, or at all."""
    if isinstance(error, ConnectionRefusedError):
        return False
    names = {each.__name__ for each in type(error).__mro__}
    return not isinstance(error, Exception) or any("Timeout" in name for name in names)


def _outcome(timing: SendTiming, result: Any) -> Any:
    if timing.failure is not None:
        raise timing.failure
    return result


def _shadowed_request() -> CurrentRequest | None:
    """The current request if it is under a shadow. Raises `MessageNotSent` if it was refused."""
    request = current_request.get()
    if request is None:
        return None
    if request.given_back and request.calls == 0:
        raise MessageNotSent("this request was answered as one that sends nothing")
    request.calls += 1
    if request.decision.action is Action.ALLOW:
        return None
    if request.decision.action is Action.SHADOW:
        return request
    raise MessageNotSent(f"this request was refused ({request.decision.action})")
