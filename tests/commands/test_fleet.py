"""The real command against real processes: within a second everywhere, and never half done."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from pumpguard import Policy
from pumpguard.overrides.document import OverrideDocument

SECOND = 1.0

KEPT = ("phone_limit",)

PROCESS = """
import asyncio, json, random, sys, time
from pumpguard import Guard, Policy
from pumpguard.testing import make_attempt

async def main(path, store):
    async with Guard(Policy.from_toml(path), store) as guard:
        n = random.randrange(10**8)
        while True:
            began = time.time()
            decision = await guard.assess(make_attempt(f"+4474{n % 100_000_000:08}", None))
            why = decision.explain()
            print(json.dumps([began, decision.allowed, decision.degraded, why]), flush=True)
            n += 1
            await asyncio.sleep(0.02)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
def policy(tmp_path: Path, name: str) -> Path:
    """A policy that limits nothing that these processes do."""
    path = tmp_path / "policy.toml"
    off = [rule.name for rule in Policy(send="/s").chain if rule.name not in KEPT]
    rules = "".join(f'[rules.{rule}]\nmode = "off"\n' for rule in off)
    path.write_text(f'send = "/s"\nname = "{name}"\ndeadline = 5\n{rules}')
    return path


@contextmanager
def process(policy: Path, store: str, output: Path) -> Iterator[Path]:
    """A process that sends all the time, and writes down what became of it."""
    command = [sys.executable, "-c", PROCESS, str(policy), store]
    with output.open("w") as file, subprocess.Popen(command, stdout=file) as running:
        try:
            yield output
        finally:
            running.kill()


def written(output: Path) -> list[tuple[float, bool, bool, str]]:
    lines = output.read_text().splitlines(keepends=True)
    return [tuple(json.loads(line)) for line in lines if line.endswith("\n")]


def wait_for(output: Path, allowed: bool, since: float) -> None:
    """Until that process has had some such decision since then."""
    until = time.monotonic() + 30
    while not any(at > since and said is allowed for at, said, *_ in written(output)):
        assert time.monotonic() < until, written(output)[-5:]
        time.sleep(0.02)


def pumpguard(policy: Path, store: str, *words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pumpguard.cli", *words]
    where = ["--policy", str(policy), "--store", store]
    return subprocess.Popen([*command, *where], stdout=subprocess.DEVNULL)


def test_closed_stops_the_next_send_in_two_processes_within_a_second(
    policy: Path, valkey_url: str, tmp_path: Path
) -> None:
    """And normal opens both again as soon."""
    with (
        process(policy, valkey_url, tmp_path / "one") as one,
        process(policy, valkey_url, tmp_path / "two") as two,
    ):
        for to, allowed in (("closed", False), ("normal", True), ("closed", False)):
            for each in (one, two):
                wait_for(each, not allowed, since=time.time() if to != "closed" else 0.0)
            assert pumpguard(policy, valkey_url, "posture", to).wait(30) == 0
            ordered = time.time()
            for each in (one, two):
                wait_for(each, allowed, since=ordered)
            for each in (one, two):
                wait_for(each, allowed, since=ordered + 1.5 * SECOND)
                late = [said for at, said, *_ in written(each) if at > ordered + SECOND]
                assert set(late) == {allowed}, written(each)[-1]
    assert not any(degraded for each in (one, two) for _, _, degraded, _ in written(each))


def standing(valkey_url: str, name: str) -> OverrideDocument:
    with Redis.from_url(valkey_url) as server:
        keys = f"pg1:{{{name}}}:overrides", f"pg1:{{{name}}}:overrides:text"
        version, document = (each or b"" for each in server.mget(keys))
    assert document[:6] == version
    return OverrideDocument.parse(document)


WRITERS = """
import asyncio, os, sys
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.lists import keyed_hash
from pumpguard.store.redis import RedisStore

async def main(url, name, shards):
    store = RedisStore(url, name=name, shards=int(shards), deadline=5)
    admin = OverrideAdmin(store.overrides, keyed_hash(""))
    print(os.getpid(), flush=True)
    n = 0
    while True:
        n += 1
        await admin.posture(("closed", "normal")[n % 2], author=f"writer {n}", reason="x" * 150)
        await admin.deny("prefix", f"+{1 + n % 99}", author=f"writer {n}")

while sys.stdin.readline():
    writer = os.fork()
    if not writer:
        asyncio.run(main(*sys.argv[1:]))
    os.waitpid(writer, 0)
    print("gone", flush=True)
"""
"""For each line, a process that writes until it is killed."""


def test_the_command_killed_at_any_moment_leaves_what_was_or_what_was_ordered(
    policy: Path, valkey_url: str, name: str
) -> None:
    """Some are killed before they have written, some after."""
    chance = random.Random(7)
    began = time.monotonic()
    assert pumpguard(policy, valkey_url, "posture", "normal", "--author", "0").wait(30) == 0
    usual = time.monotonic() - began
    killed, seen = 0, {"0"}
    for n in range(1, 13):
        before = standing(valkey_url, name)
        running = pumpguard(policy, valkey_url, "posture", "closed", "--author", str(n))
        time.sleep(usual * chance.uniform(0.4, 1.1))
        running.send_signal(signal.SIGKILL)
        in_time = running.wait(30) == -signal.SIGKILL
        killed, usual = killed + in_time, usual * (1.2 if in_time else 0.7)
        after = standing(valkey_url, name)
        order = after.postures[""]
        assert after == before or (order.author == str(n) and after.version > before.version)
        seen.add(order.author)
    assert killed
    assert pumpguard(policy, valkey_url, "posture", "normal", "--author", "end").wait(30) == 0
    assert standing(valkey_url, name).postures[""].author == "end"


@pytest.mark.parametrize("shards", [1, 3])
def test_a_writer_killed_between_any_two_steps(valkey_url: str, name: str, shards: int) -> None:
    """It does nothing but write, so that it is mostly killed in the middle of it."""
    chance = random.Random(shards)
    versions = [0]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", WRITERS, valkey_url, name, str(shards)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, text=True, bufsize=1
    ) as writers:
        assert writers.stdin is not None
        assert writers.stdout is not None
        for _ in range(12):
            writers.stdin.write("one more\n")
            writer = int(writers.stdout.readline())
            time.sleep(chance.uniform(0.002, 0.1))
            os.kill(writer, signal.SIGKILL)
            assert writers.stdout.readline() == "gone\n"
            tags = [name] if shards == 1 else [f"{name}-{i}" for i in range(shards)]
            found = [standing(valkey_url, tag) for tag in tags]
            newest = max(found, key=lambda orders: orders.version)
            assert found[0] == newest  # the first shard is the first to know
            versions.append(newest.version)
            for orders in found:
                assert len(orders.listings) <= 99
    assert versions == sorted(versions)
    assert len(set(versions)) > 6
