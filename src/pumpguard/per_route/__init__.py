"""One function guarded by itself, for apps that want no middleware (`Guard.protect`).

The middleware's own handling stands around the function: nothing is decided, answered or recorded
here. What differs is who reads the request: the app says what the number is.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from contextvars import copy_context
from functools import partial, wraps
from typing import Any, ParamSpec, TypeAlias, TypeVar, cast

from starlette.types import Message, Receive, Scope, Send

from pumpguard.attempt import Attempt
from pumpguard.config import require
from pumpguard.guard import Guard
from pumpguard.intake.dimensions import key_text
from pumpguard.intake.fields import Fields
from pumpguard.loop_thread import LOOP, Waiting
from pumpguard.middleware import PumpGuardMiddleware
from pumpguard.per_route.answers import Refusal, answer_of, scope_among, status_of

Run: TypeAlias = Callable[[], Awaitable[Any]]

P = ParamSpec("P")
R = TypeVar("R")

CALL = "pumpguard.call"
"""Where a scope holds the `Call` that it is about."""

NOT_IN_BODY = ("header", "cookie", "query")
"""Where dimensions of the policy are still found once the app has read the body."""

KEYS = ("session", "account", "device")


class Call:
    """One call of a guarded function: ``number`` and ``facts`` give what is known of the request,
    and ``run`` is the function, which may be awaited."""

    def __init__(
        self,
        number: Callable[[], object],
        facts: Mapping[str, Callable[[], object]],
        run: Run,
        status: Callable[[Any], int],
    ) -> None:
        self.number, self.facts = number, facts
        self._run, self._status = run, status
        self.refusal = Refusal()
        self.result: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the app of the middleware: for it, what counts of the answer is its status."""
        if scope["method"] == "OPTIONS":  # it asks for CORS, which stands around all this
            return
        self.result = await self._run()
        self.refusal.status = 0
        start = {"type": "http.response.start", "status": self._status(self.result), "headers": []}
        await send(start)


class RouteGuard(PumpGuardMiddleware):
    """The middleware around one function."""

    def __init__(self, guard: Guard) -> None:
        super().__init__(_call, guard=guard)
        self._read = self._given

    async def run(self, call: Call, scope: Scope) -> Any:
        """Decide, and make the call or not. Returns what it returns, or its `Refusal`."""
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
        scope = {**scope, CALL: call, "headers": headers}  # the body is read already
        sent = list[Message]()

        async def send(message: Message) -> None:
            sent.append(message)

        await self._guard_send(scope, _nothing, send, {})
        if call.refusal.status:
            call.refusal.take(sent)
            return call.refusal
        return call.result

    async def _given(
        self, scope: Scope, receive: Receive, parameters: Mapping[str, str]
    ) -> tuple[list[Attempt], bytes]:
        call, fields = cast(Call, scope[CALL]), Fields(scope, b"", parameters)
        number, given = await _value(call.number), dict[str, str | None]()
        for name, read in call.facts.items():
            given[name] = key_text(await _value(read))
        for name in KEYS:
            field = getattr(self.guard.policy, name)
            if name not in given and field and field.partition(":")[0] in NOT_IN_BODY:
                given[name] = key_text(fields.get(field))
        facts: dict[str, Any] = {name: given.pop(name) for name in KEYS if name in given}
        facts["extra"] = {name: value for name, value in given.items() if value is not None}
        return await self.guard.reader.given(fields, number, facts), b""


def check_fields(guard: Guard, phone: object, facts: Mapping[str, object]) -> None:
    """Raise `PolicyError` for a number or fact that is no function, and for a fact that no attempt
    of this policy has."""
    for name, read in {"phone": phone, **facts}.items():
        require(callable(read), name, "a function that gives it", read)
    known = (*KEYS, *guard.policy.dimensions)
    for name in facts:
        require(name in known, f"facts.{name}", f"one of {', '.join(known)}", name)


def protected(
    guard: Guard, phone: Callable[P, object], facts: Mapping[str, Callable[P, object]]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The decorator: see `Guard.protected`."""
    check_fields(guard, phone, facts)

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        route = RouteGuard(guard)

        @wraps(view)
        async def asynchronous(*args: P.args, **kwargs: P.kwargs) -> Any:
            values = (*args, *kwargs.values())
            known = {name: partial(read, *args, **kwargs) for name, read in facts.items()}
            number, run = partial(phone, *args, **kwargs), partial(view, *args, **kwargs)
            call = Call(number, known, cast(Run, run), partial(status_of, values))
            result = await route.run(call, scope_among(values))
            return answer_of(result, values) if isinstance(result, Refusal) else result

        @wraps(view)
        def plain(*args: P.args, **kwargs: P.kwargs) -> Any:
            waiting, values = Waiting(), (*args, *kwargs.values())

            def here(read: Callable[P, object]) -> Callable[[], object]:
                return partial(waiting.call, partial(read, *args, **kwargs))

            async def run() -> Any:
                return await waiting.call(partial(view, *args, **kwargs), copy_context())

            known = {name: here(read) for name, read in facts.items()}
            call = Call(here(phone), known, run, partial(status_of, values))
            deciding = LOOP.submit(route.run(call, scope_among(values)))
            for _ in waiting.until(deciding):
                pass
            result = deciding.result()
            return answer_of(result, values) if isinstance(result, Refusal) else result

        return cast("Callable[P, R]", asynchronous if inspect.iscoroutinefunction(view) else plain)

    return decorate


async def _value(read: Callable[[], object]) -> object:
    value = read()
    return await value if inspect.isawaitable(value) else value


async def _call(scope: Scope, receive: Receive, send: Send) -> None:
    await scope[CALL](scope, receive, send)


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
