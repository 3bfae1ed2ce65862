"""Lua in this process: the numbers that Redis packs, in every dialect, and none without lupa."""

from __future__ import annotations

import re
import struct
import sys
from importlib.resources import files
from random import Random

import pytest

from pumpguard import Guard, Policy, PolicyError, StoreError
from pumpguard.counters import Spike
from pumpguard.store.lua import DIALECTS, Interpreter, interpreter
from pumpguard.store.memory import MemoryStore
from pumpguard.store.scripts import Script
from tests.store.asking import (
    PHONE,
    About,
    ask,
    ban,
    conversion,
    credit,
    distinct,
    neighbours,
    sliced,
    spend,
    trust,
    verify,
    window,
)

SCRIPTS, COUNTERS = files("pumpguard.store") / "scripts", files("pumpguard.counters")
FORMATS = sorted(
    {
        found
        for folder in (SCRIPTS, COUNTERS, COUNTERS / "shared")
        for file in folder.iterdir()
        if file.name.endswith(".lua")
        for found in re.findall(r"'>((?:[cIi]\d+|B|d)+)'", file.read_text())
    }
)


def run(lua: Interpreter, body: str, *arguments: bytes) -> list[object]:
    """A few words of Lua."""
    reply, _ = lua.run(Script(body, body), 0, (), (), arguments)
    return list(reply)


def fields(layout: str, data: bytes) -> list[object]:
    """What Python reads there."""
    found: list[object] = []
    for letter, size in parts(layout):
        part, data = data[:size], data[size:]
        if letter == "d":
            found += struct.unpack(">d", part)
        else:
            found.append(part if letter == "c" else int.from_bytes(part, signed=letter == "i"))
    return found


def parts(layout: str) -> list[tuple[str, int]]:
    """The letters of a format, and how many bytes each is."""
    found = re.findall(r"([cIiBd])(\d*)", layout)
    return [(letter, {"B": 1, "d": 8}.get(letter) or int(digits)) for letter, digits in found]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("layout", FORMATS)
def test_binary_numbers_are_read_and_written_as_in_redis(dialect: str, layout: str) -> None:
    """Every format that a script has, at its edges and anywhere between."""
    lua, chance = Interpreter(dialect), Random(1)
    size = sum(size for _, size in parts(layout))
    for data in (bytes(size), b"\xff" * size, *(chance.randbytes(size) for _ in range(20))):
        expected = fields(layout, data)
        if any(isinstance(each, float) for each in expected):
            # Doubles leave a script as whole numbers: they are compared there.
            doubles = struct.pack(">dd", 1.5, -0.1)
            said = run(lua, "local a, b = struct.unpack('>dd', ARGV[1]) return {a * 2, b * -1e20}",
                       doubles)  # fmt: skip
            assert said == [3, 10**19]
            continue
        read = run(lua, f"return {{struct.unpack('>{layout}', ARGV[1])}}", data)
        assert read == [*expected, size + 1]
        if "c" not in layout:
            written = f"return {{struct.pack('>{layout}', struct.unpack('>{layout}', ARGV[1]))}}"
            assert run(lua, written, data) == [data]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_is_too_short_is_an_error(dialect: str) -> None:
    """As in Redis, instead of a wrong number; and so is what this process does not know."""
    for body in (
        "return {struct.unpack('>I6', 'short')}",
        "return {struct.pack('<I6', 1)}",
        "return {struct.pack('>d', 1)}",
        "return redis.call('INCR', 'key')",
    ):
        with pytest.raises(StoreError):
            run(Interpreter(dialect), body)


async def test_dialects_agree() -> None:
    """A Mac decides as a server does."""
    chance, stores = Random(2), [MemoryStore() for _ in DIALECTS]
    for store, dialect in zip(stores, DIALECTS, strict=True):
        store._lua = Interpreter(dialect)
    for n in range(300):
        abouts = (
            *PHONE, window(3), sliced(2, rule="wide"), ban(2), trust(), spend(40), credit(30),
            conversion(), About(Spike("spike", ratio=3.0, minimum=5)),
            distinct(chance.choice("abc")), neighbours(chance.randrange(40), limit=3),
        )  # fmt: skip
        facts = {"price": chance.randrange(9), "ticket": n.to_bytes(4), "jitter": chance.random()}
        answers = [await ask(store, *abouts, at=n * 7.5, **facts) for store in stores]
        assert answers[0] == answers[1]
        if chance.random() < 0.3:
            told = [await verify(store, trust(), credit(30), at=n * 7.5 + 3) for store in stores]
            assert told[0] == told[1]
    assert stores[0]._kept == stores[1]._kept


@pytest.fixture
def without_lupa(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has no lupa."""
    interpreter.cache_clear()
    for name in ("lupa", *(f"lupa.{dialect}" for dialect in DIALECTS)):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("without_lupa")
def test_without_lupa_a_store_in_memory_says_what_is_missing() -> None:
    """When it is made, and not with the first request."""
    with pytest.raises(PolicyError, match=r"^store: .*pip install lupa"):
        Guard(Policy(send="/otp/send"), "memory://")


@pytest.mark.usefixtures("without_lupa")
async def test_without_lupa_a_guard_over_redis_may_be_closed_or_open_but_not_local() -> None:
    """Only the limiter of its own, for when Redis is away, needs Lua in this process."""
    url = "redis://localhost:1"
    with pytest.raises(PolicyError, match=r"^on_store_failure: .*closed.*open.*pip install lupa"):
        Guard(Policy(send="/otp/send", on_store_failure="local"), url)
    await Guard(Policy(send="/otp/send", on_store_failure="closed"), url).aclose()
    await Guard(Policy(send="/otp/send", on_store_failure="open"), url).aclose()
