"""Sixty-four processes at one limit."""

from __future__ import annotations

import subprocess
import sys

from redis import Redis

PROCESSES = 64
REQUESTS = 8
LIMITS = (7, 100)

WORKER = """
import asyncio, sys
from pumpguard.counters import Window
from pumpguard.store.base import Plan, Question
from pumpguard.store.redis import RedisStore

async def main(url, name, requests, limits):
    store = RedisStore(url, name=name, deadline=60)
    def ask(limit, rule="r"):
        plan = Plan([Window(rule, f"phone {limit}", limit, 3600)], [True])
        return store.decide(Question(plan, ("somebody",)))
    await ask(1000, "warm")
    print("ready", flush=True)
    sys.stdin.readline()
    for limit in limits:
        answers = await asyncio.gather(*(ask(limit) for _ in range(requests)))
        print(sum(answer.admitted for answer in answers), flush=True)
    await store.aclose()

url, name, requests, *limits = sys.argv[1:]
asyncio.run(main(url, name, int(requests), [int(limit) for limit in limits]))
"""


def test_64_processes_in_parallel_admit_exactly_the_limit(valkey_url: str, name: str) -> None:
    """Exact logs and slices alike: 512 requests from 64 processes, and the limit is the limit."""
    command = [sys.executable, "-c", WORKER, valkey_url, name, str(REQUESTS), *map(str, LIMITS)]
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    outputs = []
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:  # all are connected and waiting: now together
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        out, _ = worker.communicate(timeout=60)
        outputs.append([int(line) for line in out.split()])
    admitted = [sum(column) for column in zip(*outputs, strict=True)]
    assert admitted == list(LIMITS)
    with Redis.from_url(valkey_url) as server:
        assert len(list(server.scan_iter(match=f"*{name}*"))) == 1 + len(LIMITS)
