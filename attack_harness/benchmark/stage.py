"""Opens the app behind a defence: fresh for every cell, or a server that is already running."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import import_module

from examples.target_app.app import create_app
from examples.target_app.settings import Settings

from ..actors import Call, Json, Reply
from ..targets import AsgiApp, InProcess, OverHttp, Target
from .cells import Cell, Setting
from .defences import DEFENCES

APART = 28 * 86_400.0
"""Seconds between two cells on a running server: everything that it remembers has run out."""

STORE = "memory://"
"""The guard counts in this process: the decisions are those of the script in Redis, which tests
hold the two to, and a cell takes two thirds of the time."""


@asynccontextmanager
async def stage(
    cell: Cell,
    setting: Setting,
    position: int = 0,
    budget: float | None = None,
    announced: Sequence[str] = (),
) -> AsyncIterator[Target]:
    """Reach the cell's defence; ``position`` keeps cells on a running server apart. A guard of ours
    has this ``budget`` in USD a day instead of the app's, and ``announced`` addresses on its allow
    list."""
    if setting.url is not None and cell.defence == setting.url:
        async with OverHttp(setting.url) as server:
            yield Later(server, position * APART)
        return
    with _environment(cell.prices):
        app = await _app(cell, setting, budget, announced)
    async with InProcess(app) as target:
        yield target


async def _app(
    cell: Cell, setting: Setting, budget: float | None, announced: Sequence[str]
) -> AsgiApp:
    if setting.app is not None and cell.defence == setting.app:
        return factory(setting.app)()
    defence = DEFENCES[cell.defence]
    settings = Settings(
        guard=defence.guard is not None,
        redis_url=STORE,
        simulated=True,
        prices=cell.prices,
        seed=cell.seed,
    )
    guarded = None
    if defence.guard is not None:
        guarded = defence.guard.guarded(settings, budget)
        for address in announced:
            await guarded.guard.overrides.allow("network", address, author="load test")
    app: AsgiApp = create_app(settings, guarded)
    return defence.around(app, setting.users) if defence.around else app


def factory(name: str) -> Callable[[], AsgiApp]:
    """The function that ``module:function`` names."""
    module, _, function = name.partition(":")
    found = getattr(import_module(module), function or "create_app")
    if not callable(found):
        raise TypeError(f"{name}: expected a function that makes an app")
    return found  # type: ignore[no-any-return]


@contextmanager
def _environment(prices: str) -> Iterator[None]:
    """What somebody's own app is told, as the example app would be."""
    told = {"TARGET_APP_SIMULATED_TIME": "1", "TARGET_APP_PRICES": prices}
    before = {name: os.environ.get(name) for name in told}
    os.environ.update(told)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@dataclass
class Later:
    """A target whose clock is ahead of the play's."""

    target: Target
    ahead: float
    concurrent = False

    async def call(self, call: Call, at: float) -> Reply:
        """Ask at the later time, and tell it as the play's time."""
        reply = await self.target.call(call, at + self.ahead)
        return reply._replace(at=at, json=self._back(reply.json))

    def _back(self, json: Json) -> Json:
        messages = json.get("messages")
        if not isinstance(messages, list):
            return json
        return {**json, "messages": [self._earlier(message) for message in messages]}

    def _earlier(self, message: Json) -> Json:
        times = {
            name: round(message[name] - self.ahead, 3)
            for name in ("at", "delivered_at")
            if name in message
        }
        return {**message, **times}
