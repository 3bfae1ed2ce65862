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
from pumpguard.money.prices import PriceTable

TOKEN = "2b7e151628aed2a6abf7158809cf4f3c"
POLICY = """
send = "/otp/send"
verify = "/otp/verify"
home = ["GB"]
name = "{name}"
daily_budget = 600
deadline = 10
proxies = ["127.0.0.0/8"]

[rules.shadow_ban]
mode = "off"
"""
"""Without shadows: whom they answer cannot tell what was sent."""

PATIENT = 60.0
PRICES = PriceTable.load("appwrite-2026")


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
    """Whether the console's sums are those of the books, to the request and the micro-dollar: of
    all, of each country, and of each block."""
    by = seen["day"]["by_action"]
    challenged = sum(each.challenged for each in exchanges)
    answered = sum(sent(each) for each in exchanges)
    assert seen["day"]["requests"] == seen["hour"]["requests"] == len(exchanges)
    assert by["challenge"] == challenged
    assert by["allow"] == answered
    assert by["throttle"] + by["block"] == len(exchanges) - challenged - answered
    rules = seen["day"]["by_rule"].values()
    assert sum(said.get("refused", 0) for said in rules) == seen["day"]["requests"] - by["allow"]
    assert by["shadow"] == 0
    assert {place["country"] for place in seen["attack"]["places"]} == {"AZ", "BD"}
    for country in seen["attack"]["places"]:
        mine = [each for each in exchanges if country_of(each.phone) == country["name"]]
        assert country["others"] == 0
        stands_for(country, mine)
        for part in country["parts"]:
            stands_for(part, [each for each in mine if each.phone.startswith(part["name"])])
            for block in part["parts"]:
                stands_for(block, [each for each in mine if each.phone[:-3] == block["name"]])
    spent = sum(PRICES.price(country_of(each.phone)) for each in exchanges if sent(each))
    assert seen["day"]["spent"] == pytest.approx(spent, abs=1e-6)


def stands_for(place: dict[str, Any], mine: list[Exchange]) -> None:
    """Whether all numbers of a country, range or block are those of the books about it."""
    through = [each for each in mine if sent(each)]
    price = PRICES.price(place["country"])
    assert place["let_through"] == len(through), place
    assert place["refused"] == place["now"] == len(mine) - len(through)
    assert place["spent"] == pytest.approx(price * len(through), abs=1e-6)
    assert place["refused_usd"] == pytest.approx(price * place["refused"], abs=1e-6)


def sent(exchange: Exchange) -> bool:
    """Whether the app says that it sent the message."""
    return 200 <= exchange.status < 300


def country_of(phone: str) -> str:
    """Of the numbers of this attack."""
    return "BD" if phone.startswith("+880") else "AZ"


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

    os.kill(workers_of(servers[0])[0], signal.SIGKILL)
    agrees(await settled(servers[1], len(exchanges)), exchanges)
    more = await attack(servers[1:], "second", 500)
    agrees(await settled(servers[1], len(exchanges) + len(more)), [*exchanges, *more])
