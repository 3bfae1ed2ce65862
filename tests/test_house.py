"""The house stays small: what a reader has to go through is counted, and may not grow unseen.

The bars are those of the rebuilding for release 0.2. Whoever has a good reason raises one here, in
the open.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import pumpguard
from pumpguard import Policy, PumpGuardMiddleware
from pumpguard.shadow.open_requests import OPEN
from pumpguard.store.embedded import EmbeddedServer
from tests.asgi import ask

SRC = Path(pumpguard.__file__).parent

LINES, FILES = 22_500, 195
"""Of the product: Python and Lua, comments included. The rebuilding ended with 16,704 lines in 156
files; what the guard has learnt since of the apps that it stands in front of is the rest."""

FUNCTIONS, FILES_ON_THE_WAY = 70, 25
"""That one admitted request goes through, with the default rules and verifications."""

PHONES = tuple(f"+447400{123_456 + 97_531 * i}" for i in range(8))


def product() -> list[Path]:
    """The files of the product."""
    return [path for path in SRC.rglob("*") if path.suffix in (".py", ".lua")]


def lines(paths: list[Path]) -> int:
    """How many lines they have together."""
    return sum(path.read_text(encoding="utf-8").count("\n") for path in paths)


def test_the_product_can_be_read() -> None:
    """What is added has to be worth its reading."""
    assert lines(product()) <= LINES
    assert len(product()) <= FILES


def test_no_module_is_a_book() -> None:
    """A module fits into a head."""
    longest = max(product(), key=lambda path: lines([path]))
    assert lines([longest]) <= 260, longest


@pytest.mark.parametrize("where", ["memory", "valkey"])
async def test_an_admitted_request_takes_a_short_way(where: str) -> None:
    """Functions and files of ours between the server's call and the app's answer."""
    server = EmbeddedServer().start() if where == "valkey" else None
    OPEN.clear()  # requests of other tests linger for a minute, and then are cleared away
    try:
        app = guarded(server.url if server else "memory://")
        ways = []
        for phone in PHONES:  # scripts get loaded, rules compiled, and the server looked at once
            with functions() as seen:
                assert (await ask(app, phone)).status == 202
            ways.append(seen)
        await app.guard.aclose()
    finally:
        if server:
            server.stop()
    way = min(ways, key=len)
    files = {file for file, _ in way}
    assert len(way) <= FUNCTIONS, sorted(way)
    assert len(files) <= FILES_ON_THE_WAY, sorted(files)


def guarded(store: str) -> PumpGuardMiddleware:
    """A small app behind the default rules."""

    async def send(request: Request) -> JSONResponse:
        return JSONResponse({"status": "sent"}, 202)

    policy = Policy(
        send="/otp/send", verify="/otp/verify", home=["GB"], daily_budget=600, deadline=5.0
    )
    app = Starlette(routes=[Route("/otp/send", send, methods=["POST"])])
    return PumpGuardMiddleware(app, policy, store)


@contextmanager
def functions() -> Iterator[set[tuple[str, str]]]:
    """The functions of the product that are called meanwhile, with their files."""
    seen: set[tuple[str, str]] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(str(SRC)):
            seen.add((Path(code.co_filename).relative_to(SRC).as_posix(), code.co_qualname))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)
