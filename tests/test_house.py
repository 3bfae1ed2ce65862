"""The house stays small: what a reader has to go through is counted, and may not grow unseen.

Whoever has a good reason raises a bar here, in the open.
"""

from __future__ import annotations

import subprocess
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

ROOMS = ("commands", "ops", "wsgi", "per_route", "serve", "senders", "receipts", "replay")
"""Rooms of their own: only those who use one import it, and nobody else has to read it."""

LINES, FILES = 24_000, 208
"""Of the guard itself, which is all but those rooms: Python and Lua, comments included. The
rebuilding for 0.2 ended with 16,704 lines in 156 files, rooms included; what the guard has learnt
since of the apps that it stands in front of is the rest."""

CORE = (
    "attempt.py", "decision.py", "policy.py", "risk.py", "guard.py", "middleware.py",
    "engine/*.py", "rules/__init__.py", "rules/base.py", "rules/assembly.py", "rules/challenge.py",
    "counters/__init__.py", "counters/base.py", "counters/plan.py", "counters/window.*",
    "counters/shared/*.lua", "store/base.py", "store/scripted.py", "store/codec.py",
    "store/full_cache.py", "store/scripts/__init__.py", "store/scripts/start.lua",
    "store/scripts/banned.lua", "store/scripts/common.lua", "store/scripts/decide.lua",
    "store/scripts/refuse.lua", "overrides/lookup.py", "overrides/sync.py",
)  # fmt: skip
"""What one must have read before a safe change to decisions: from the attempt to the decision, with
what all rules, all counters and all stores have in common, and one kind of counter. Not how
requests are read, what each rule looks for, how Redis is reached and what outcomes change."""

CORE_LINES = 5_000

FUNCTIONS, FILES_ON_THE_WAY = 70, 24
"""That one admitted request goes through, with the default rules and verifications."""

TRIES = 24


def product() -> list[Path]:
    """The files of the product."""
    return [path for path in SRC.rglob("*") if path.suffix in (".py", ".lua")]


def guard() -> list[Path]:
    """Those of the guard itself."""
    return [path for path in product() if path.relative_to(SRC).parts[0] not in ROOMS]


def core() -> list[Path]:
    """What one must have read."""
    return [path for pattern in CORE for path in SRC.glob(pattern)]


def lines(paths: list[Path]) -> int:
    """How many lines they have together."""
    return sum(path.read_text(encoding="utf-8").count("\n") for path in paths)


def test_the_guard_can_be_read() -> None:
    """What is added has to be worth its reading."""
    assert lines(guard()) <= LINES
    assert len(guard()) <= FILES


def test_the_core_can_be_read_in_a_day() -> None:
    """Every pattern names files, so that none is lost by a new name."""
    assert [pattern for pattern in CORE if not any(SRC.glob(pattern))] == []
    assert lines(core()) <= CORE_LINES


def test_nobody_has_to_load_a_room() -> None:
    """Neither who imports the package nor who guards an app; with the command line, its own."""
    code = (
        "import sys, pumpguard; from pumpguard import Guard, Policy;"
        "Guard(Policy(send='/otp/send', verify='/otp/verify')); print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[1] for name in ran.stdout.split() if name.startswith("pumpguard.")}
    assert "guard" in loaded
    assert loaded.isdisjoint(ROOMS)


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
        for n in range(TRIES):  # scripts get loaded, rules compiled, and the server looked at once
            with functions() as seen:
                phone = f"+4474{12_345_678 + 1_975_313 * n}"
                client = f"81.2.{n // 8}.142", 5_000  # known but for the first time
                assert (await ask(app, phone, client=client)).status == 202
            ways.append(seen)
            await app.guard.settled()  # what is told behind the reply
            if len(seen) <= FUNCTIONS:
                break  # on a machine with other work, timers of ours fall due in many of them
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
