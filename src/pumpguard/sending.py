"""The last gate: the function that really sends, wrapped so that a shadow stays silent."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar, Token
from typing import Any, ParamSpec, TypeVar, cast

from pumpguard.decision import Action, Decision
from pumpguard.errors import MessageNotSent

P = ParamSpec("P")
R = TypeVar("R")

_current: ContextVar[Decision | None] = ContextVar("pumpguard_decision", default=None)
_wrapped = False


def current_decision() -> Decision | None:
    """The decision about the request being handled, or ``None`` outside a guarded one."""
    return _current.get()


def has_sender() -> bool:
    """Whether this process has wrapped a sender, without which a shadow would be heard."""
    return _wrapped


def sender(send: Callable[P, R], shadowed: Any = None) -> Callable[P, R]:
    """Wrap the function that sends messages; plain and ``async`` ones alike.

    Under a shadow decision ``send`` is not called, and the caller gets ``shadowed``: give it what
    your app expects of a provider (such as a message id), or a function that makes one from the
    same arguments. Outside a guarded request, ``send`` is called as always.
    """
    global _wrapped
    _wrapped = True

    @functools.wraps(send)
    def plain(*args: P.args, **kwargs: P.kwargs) -> R:
        if _silent():
            return cast(R, shadowed(*args, **kwargs) if callable(shadowed) else shadowed)
        return send(*args, **kwargs)

    # An object may be called asynchronously too, by its own ``__call__``.
    if not any(map(inspect.iscoroutinefunction, (send, type(send).__call__))):
        return plain

    @functools.wraps(send)
    async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
        if _silent():
            made = shadowed(*args, **kwargs) if callable(shadowed) else shadowed
            return await made if inspect.isawaitable(made) else made
        return await cast(Any, send)(*args, **kwargs)

    return cast(Callable[P, R], asynchronous)


def _silent() -> bool:
    decision = _current.get()
    if decision is None or decision.allowed:
        return False
    if decision.action is Action.SHADOW:
        return True
    raise MessageNotSent(f"this request was refused ({decision.action})")


def enter(decision: Decision) -> Token[Decision | None]:
    """Make ``decision`` the current one; undone by `leave`."""
    return _current.set(decision)


def leave(token: Token[Decision | None]) -> None:
    """Forget the decision again."""
    _current.reset(token)
