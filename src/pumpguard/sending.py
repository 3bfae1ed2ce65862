"""The last gate: the function that really sends, wrapped so that a shadow stays silent."""

from __future__ import annotations

import functools
import inspect
import time
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast

from pumpguard.decision import Action, Decision
from pumpguard.errors import MessageNotSent
from pumpguard.shadow.pace import Pace, Rest, Took

P = ParamSpec("P")
R = TypeVar("R")

PROVIDER_FAILS: tuple[type[BaseException], ...] = (OSError,)
"""Connections and deadlines (``TimeoutError`` is one): about the provider and no number."""


class Entered(NamedTuple):
    """The decision about the request being handled; simulated time takes none."""

    decision: Decision
    simulated: bool = False


_current: ContextVar[Entered | None] = ContextVar("pumpguard_decision", default=None)
_wrapped = False


def current_decision() -> Decision | None:
    """The decision about the request being handled, or ``None`` outside a guarded one."""
    entered = _current.get()
    return entered and entered.decision


def has_sender() -> bool:
    """Whether this process has wrapped a sender, without which a shadow would be heard."""
    return _wrapped


def sender(
    send: Callable[P, R],
    shadowed: Any = None,
    *,
    failures: tuple[type[BaseException], ...] = PROVIDER_FAILS,
    pace: Pace | None = None,
) -> Callable[P, R]:
    """Wrap the function that sends messages; plain and ``async`` ones alike.

    Under a shadow decision ``send`` is not called, and the caller gets ``shadowed``: give it what
    your app expects of a provider (such as `pumpguard.like` makes), or a function that makes one
    from the same arguments. It takes as long as real sends recently took, and fails as often with
    the errors in ``failures``: those that say something of the provider, and nothing of a number.
    ``pace`` knows how long that is, if there is something to know beforehand.

    Outside a guarded request, ``send`` is called as always.
    """
    global _wrapped
    _wrapped = True
    sends = Sends(failures, pace or Pace())

    @functools.wraps(send)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        begun = time.perf_counter()
        entered = _silent()
        if entered is not None:
            took = sends.pace.draw(entered.decision.attempt.phone.region)
            made = shadowed(*args, **kwargs) if callable(shadowed) else shadowed
            if not entered.simulated:
                Rest.block_until(begun + took.seconds)
            return cast(R, _outcome(took, made))
        with sends.watched(begun):
            return send(*args, **kwargs)

    # An object may be called asynchronously too, by its own ``__call__``.
    if not any(map(inspect.iscoroutinefunction, (send, type(send).__call__))):
        return plain

    @functools.wraps(send)
    async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
        begun = time.perf_counter()
        entered = _silent()
        if entered is not None:
            took = sends.pace.draw(entered.decision.attempt.phone.region)
            made = shadowed(*args, **kwargs) if callable(shadowed) else shadowed
            made = await made if inspect.isawaitable(made) else made
            if not entered.simulated:
                await sends.rest.until(begun + took.seconds)
            return _outcome(took, made)
        with sends.watched(begun):
            return await cast(Any, send)(*args, **kwargs)

    return cast(Callable[P, R], asynchronous)


class Sends:
    """What is remembered of one sender's real sends."""

    def __init__(self, failures: tuple[type[BaseException], ...], pace: Pace) -> None:
        self.pace = pace
        self.rest = Rest()
        self._failures = failures

    def watched(self, begun: float) -> Watch:
        """Measures one real send."""
        return Watch(self, begun)

    def learn(self, begun: float, error: BaseException | None) -> None:
        """Remember how long it took, and whether the provider failed."""
        if error is not None and not isinstance(error, self._failures):
            return  # about this number, or a bug: it says nothing of the next send
        decision = current_decision()
        country = decision.attempt.phone.region if decision else None
        self.pace.add(time.perf_counter() - begun, country, error)


class Watch:
    """One real send, as a context."""

    __slots__ = ("_begun", "_sends")

    def __init__(self, sends: Sends, begun: float) -> None:
        self._sends = sends
        self._begun = begun

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _at: object) -> None:
        self._sends.learn(self._begun, error)


def _outcome(took: Took, made: Any) -> Any:
    if took.failure is not None:
        raise took.failure
    return made


def _silent() -> Entered | None:
    entered = _current.get()
    if entered is None or entered.decision.allowed:
        return None
    if entered.decision.action is Action.SHADOW:
        return entered
    raise MessageNotSent(f"this request was refused ({entered.decision.action})")


def enter(decision: Decision, simulated: bool = False) -> Token[Entered | None]:
    """Make ``decision`` the current one; undone by `leave`. A simulation does not wait."""
    return _current.set(Entered(decision, simulated))


def leave(token: Token[Entered | None]) -> None:
    """Forget the decision again."""
    _current.reset(token)
