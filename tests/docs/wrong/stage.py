"""Plays one wrong set-up: a small app behind a guard, requests, and what is said meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from starlette.types import ASGIApp

from pumpguard import Guard, Policy, PumpGuardMiddleware
from pumpguard.errors import PolicyError
from pumpguard.intake.network import UnknownNetworks
from pumpguard.notices import INTERVAL
from pumpguard.testing import FakeClock
from tests.asgi import JSON, Reply, call, request
from tests.docs.wrong.app import App

HUNDRED = 100
"""Requests within which everything has to be said."""

HOURS = 2
"""Simulated, with a request a minute, in which nothing may be said twice within an hour."""

PATIENCE = 20.0
"""Seconds that a look at a server in the background may take."""

CODE = re.compile(r"(PG\d{3}) (.*)", re.DOTALL)

Request = Callable[[int], Awaitable[Reply | None]]
"""Makes the n-th request."""


@dataclass(frozen=True)
class Line:
    """A line of the log: after how many requests, and at what simulated time."""

    code: str
    text: str
    after: int
    at: float


@dataclass(frozen=True)
class Said:
    """What a set-up was seen to say; ``at_most`` is how often anything was said in any hour."""

    what: str
    where: str
    after: int
    answers: str = ""
    at_most: int = 1
    code: str = ""


@dataclass(frozen=True)
class WrongSetup:
    """``setup`` is its line in the table, ``says`` the code, or the path of the `PolicyError`.

    ``begin`` sets it up and gives what makes its requests. ``background``: it is found beside the
    first request, and not by it.
    """

    group: str
    setup: str
    says: str
    begin: Callable[[Stage], Awaitable[Request]]
    background: bool = False


class Stage(logging.Handler):
    """What a set-up needs: a clock to move, servers that end with it, and an ear for the log."""

    def __init__(self, name: str) -> None:
        super().__init__(logging.WARNING)
        self.policy_name = name
        self.clock = FakeClock()
        self.stack = AsyncExitStack()
        self.requests = 0
        self.lines: list[Line] = []
        self.answers: list[int] = []
        self.guards: list[Guard] = []
        self.Policy: Any = partial(Policy, name=name)

    def emit(self, record: logging.LogRecord) -> None:
        found = CODE.match(record.getMessage())
        assert found is not None, record.getMessage()
        self.lines.append(Line(found[1], found[2], self.requests, self.clock()))

    async def __aenter__(self) -> Stage:
        logging.getLogger("pumpguard").addHandler(self)
        return self

    async def __aexit__(self, *exception: object) -> None:
        logging.getLogger("pumpguard").removeHandler(self)
        for guard in self.guards:
            await guard.aclose()
        await self.stack.aclose()

    def guarded(
        self, app: ASGIApp, policy: Policy, store: Any = "memory://", **options: Any
    ) -> Any:
        """The app behind a guard whose time is simulated."""
        options = {"clock": self.clock, "networks": UnknownNetworks(), **options}
        middleware = PumpGuardMiddleware(app, policy, store, **options)
        if middleware.guard not in self.guards:
            self.guards.append(middleware.guard)
        return middleware

    def environment(self, name: str, value: str) -> None:
        """Set a variable of the environment until the end."""
        before = os.environ.get(name)
        os.environ[name] = value

        def restore() -> None:
            del os.environ[name]
            if before is not None:
                os.environ[name] = before

        self.stack.callback(restore)

    async def ask(self, make: Request, seconds: float) -> None:
        """One request, and what it leaves behind, so many seconds after the one before."""
        self.clock.advance(seconds)
        self.requests += 1
        reply = await make(self.requests)
        if reply is not None and reply.messages:
            self.answers.append(reply.status)
        for _ in range(5):
            await asyncio.sleep(0)

    def first(self, code: str) -> Line | None:
        """The first line with this code."""
        return next((line for line in self.lines if line.code == code), None)

    def at_most(self) -> int:
        """How often the same was said in any one hour, at most, whatever numbers stand in it."""
        times: dict[str, list[float]] = defaultdict(list)
        for line in self.lines:
            times[line.code + re.sub(r"\d+", "#", line.text)].append(line.at)
        return max(
            sum(began <= at < began + INTERVAL for at in each)
            for each in times.values()
            for began in each
        )


async def play(setup: WrongSetup) -> Said:
    """Set it up, make requests until it has said so, and then go on for hours."""
    async with Stage(f"wrong-{os.urandom(6).hex()}") as stage:
        try:
            make = await setup.begin(stage)
        except PolicyError as error:
            return Said(str(error), "raised", 0, code=error.path)
        while stage.first(setup.says) is None and stage.requests < HUNDRED:
            await stage.ask(make, 1.0)
            if setup.background:
                async with asyncio.timeout(PATIENCE):
                    while stage.first(setup.says) is None:  # noqa: ASYNC110 - a log has no event
                        await asyncio.sleep(0.01)
        line = stage.first(setup.says)
        assert line is not None, f"silent: {setup.setup}; said: {stage.lines[:3]}"
        answers = sorted(set(stage.answers))
        for _ in range(HOURS * 60):
            await stage.ask(make, 60.0)
        where = "log"
        for guard in stage.guards[-1:]:
            if setup.says in [concern.code for concern in await guard.check()]:
                where = "log, `check()`"
        return Said(
            line.text, where, line.after, ", ".join(map(str, answers)), stage.at_most(), line.code
        )


@dataclass(frozen=True)
class Traffic:
    """Requests that differ in their number and client, and in nothing else."""

    app: ASGIApp
    path: str = "/otp/send"
    method: str = "POST"
    body: Callable[[int], bytes] | None = None
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = JSON
    client: Any = None

    async def __call__(self, n: int) -> Reply:
        scope = request(
            self.method,
            self.path,
            headers=self.headers,
            content_type=self.content_type,
            client=address(n) if self.client is None else self.client or None,
        )
        return await call(self.app, scope, self.body(n) if self.body else json_of(phone=phone(n)))


def phone(n: int) -> str:
    """An allocated British mobile number; no two are near each other."""
    return f"+447400{100_000 + 7_919 * n % 899_999}"


def address(n: int) -> tuple[str, int]:
    """Where the n-th client connects from."""
    return f"81.2.{n % 250}.{1 + n // 250}", 4711


def json_of(**values: object) -> bytes:
    """A body."""
    return json.dumps(values).encode()


def refused(group: str, code: str, says: str, names: dict[str, Any]) -> WrongSetup:
    """A set-up that raises as soon as it is made; the code is what the table shows."""

    async def begin(stage: Stage) -> Request:
        made = eval(code, {"Policy": stage.Policy, "stage": stage, **names})
        raise AssertionError(f"accepted: {code} gave {made!r}")

    return WrongSetup(group, f"`{code}`", says, begin)


def asked(
    group: str,
    policy: str,
    says: str,
    but: str,
    app: Callable[[], App] = App,
    *,
    names: dict[str, Any] | None = None,
    store: Any = "memory://",
    options: Callable[[Policy], dict[str, Any]] = lambda policy: {},
    **traffic: Any,
) -> WrongSetup:
    """A set-up that shows when it is asked: the policy, and what is ``but`` the case."""

    async def begin(stage: Stage) -> Request:
        made = eval(policy, {"Policy": stage.Policy, **(names or {})})
        behind = stage.guarded(app().app, made, store, **options(made))
        return Traffic(behind, **traffic)

    return WrongSetup(group, f"`{policy}`; {but}", says, begin)
