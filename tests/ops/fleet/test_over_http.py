"""Four processes, one server, an attack over real sockets: the console's sums are the books."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from attack_harness.actors import Call, Exchange, Reply
from attack_harness.attackers.base import Attack, Shot
from attack_harness.run import play
from attack_harness.server import served
from attack_harness.targets import OverHttp

TOKEN = "2b7e151628aed2a6abf7158809cf4f3c"
POLICY = """
send = "/otp/send"
verify = "/otp/verify"
home = ["GB"]
name = "{name}"
daily_budget = 600
deadline = 10
proxies = ["127.0.0.0/8"]
"""
PATIENT = 60.0


class Spread:
    """Calls the servers in turn."""

    concurrent = True

    def __init__(self, targets: list[OverHttp]) -> None:
        self._next = cycle(targets)

    async def call(self, call: Call, at: float) -> Reply:
        """Perform one call, by whoever is next."""
        return await next(self._next).call(call, at)


@pytest.fixture
async def servers(tmp_path: Path, valkey_url: str, name: str) -> AsyncIterator[list[str]]:
    """Two servers of two processes each, by their URLs."""
    policy = tmp_path / "policy.toml"
    policy.write_text(POLICY.format(name=name))
    environ = {"PUMPGUARD_REDIS_URL": valkey_url, "TARGET_APP_CONSOLE_TOKEN": TOKEN,
               "TARGET_APP_SECRET": "a well kept secret"}  # fmt: skip
    async with AsyncExitStack() as held:
        serving = (served(guard=True, policy=policy, environ=environ, workers=2) for _ in range(2))
        yield [await held.enter_async_context(each) for each in serving]


async def attack(servers: list[str], name: str, first: int) -> list[Exchange]:
    """Ask for blocks in two countries, from many addresses; the books of who asked."""
    shots = tuple(
        Shot(n * 0.01, f"{'+88017123' if n % 3 else '+9945012'}{first + n:05}",
             f"198.51.{n % 7}.{n % 50 + 1}")
        for n in range(200)
    )  # fmt: skip
    async with AsyncExitStack() as held:
        targets = [await held.enter_async_context(OverHttp(url, at_once=16)) for url in servers]
        log = await play(Spread(targets), Attack(name, name, 0.0, shots).actors())
    return log.exchanges


async def sums(url: str) -> dict[str, Any]:
    """What the console of a server says of the fleet."""
    async with httpx.AsyncClient(timeout=PATIENT, trust_env=False) as client:
        bearer = {"authorization": f"Bearer {TOKEN}"}
        reply = await client.get(f"{url}/pumpguard/api/fleet", headers=bearer)
        found: dict[str, Any] = reply.json()
        return found


async def settled(url: str, requests: int) -> dict[str, Any]:
    """The sums, once they have come to so many requests."""
    for _ in range(round(PATIENT / 0.1)):
        seen = await sums(url)
        if seen["day"]["requests"] >= requests:
            break
        await asyncio.sleep(0.1)
    return seen


def agrees(seen: dict[str, Any], exchanges: list[Exchange]) -> None:
    """Whether the console's sums are those of the books, to the request."""
    by = seen["day"]["by_action"]
    challenged = sum(each.challenged for each in exchanges)
    answered = sum(200 <= each.status < 300 for each in exchanges)
    assert seen["day"]["requests"] == len(exchanges)
    assert by["challenge"] == challenged
    assert by["allow"] + by["shadow"] == answered
    assert by["throttle"] + by["block"] == len(exchanges) - challenged - answered


def workers_of(url: str) -> list[int]:
    """The processes that answer for a server: the children of the one that listens."""
    port = url.rsplit(":", 1)[1]
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            children = (entry / "task" / entry.name / "children").read_text().split()
        except OSError:
            continue
        if b"--workers" in words and port.encode() in words:
            mine = [int(child) for child in children]
            return [
                pid for pid in mine if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
            ]
    raise AssertionError("nobody listens")


async def test_the_sums_are_the_books_and_outlive_a_process(servers: list[str]) -> None:
    """To the request, whichever process is asked; and a process that is killed takes with it what
    it has not yet said, which after a quiet moment is nothing."""
    exchanges = await attack(servers, "first", 0)
    seen = [await settled(url, len(exchanges)) for url in servers]
    for each in seen:
        agrees(each, exchanges)
    assert sum(process["decided"] for process in seen[0]["processes"]) == len(exchanges)
    assert {place["country"] for place in seen[0]["attack"]["places"]} == {"AZ", "BD"}

    os.kill(workers_of(servers[0])[0], signal.SIGKILL)
    agrees(await settled(servers[1], len(exchanges)), exchanges)
    more = await attack(servers[1:], "second", 500)
    agrees(await settled(servers[1], len(exchanges) + len(more)), [*exchanges, *more])
