"""Sixty-four processes at one limit."""

from __future__ import annotations

import json
import subprocess
import sys

from redis import Redis

PROCESSES = 64
REQUESTS = 8
LIMITS = (7, 100)

WORKERS = """
import asyncio, os, sys
from pumpguard.counters import Window
from pumpguard.store.base import Plan, Question
from pumpguard.store.redis import RedisStore

async def main(url, name, requests, limits):
    store = RedisStore(url, name=name, deadline=60)
    def ask(limit, rule="r"):
        plan = Plan([Window(rule, f"phone {limit}", limit, 3600)], [True])
        return store.decide(Question(plan, ("somebody",)))
    await ask(1000, "warm")
    os.write(1, b"ready\\n")
    os.read(0, 1)
    admitted = []
    for limit in limits:
        answers = await asyncio.gather(*(ask(limit) for _ in range(requests)))
        admitted.append(sum(answer.admitted for answer in answers))
    os.write(1, f"{admitted}\\n".encode())
    await store.aclose()

url, name, processes, requests, *limits = sys.argv[1:]
workers = []
for _ in range(int(processes)):
    workers.append(os.fork())
    if not workers[-1]:
        asyncio.run(main(url, name, int(requests), [int(limit) for limit in limits]))
        os._exit(0)
sys.exit(any(os.waitpid(worker, 0)[1] for worker in workers))
"""
"""Processes that share nothing but what they have imported, each with its own connection."""


def test_64_processes_in_parallel_admit_exactly_the_limit(valkey_url: str, name: str) -> None:
    """Exact logs and slices alike: 512 requests from 64 processes, and the limit is the limit."""
    counts = map(str, (PROCESSES, REQUESTS, *LIMITS))
    command = [sys.executable, "-c", WORKERS, valkey_url, name, *counts]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as workers:
        assert workers.stdin is not None
        assert workers.stdout is not None
        for _ in range(PROCESSES):
            assert workers.stdout.readline() == b"ready\n"
        out, _ = workers.communicate(b"!" * PROCESSES, timeout=60)  # now together
    assert workers.returncode == 0
    outputs = [json.loads(line) for line in out.splitlines()]
    assert len(outputs) == PROCESSES
    admitted = [sum(column) for column in zip(*outputs, strict=True)]
    assert admitted == list(LIMITS)
    with Redis.from_url(valkey_url) as server:
        assert len(list(server.scan_iter(match=f"*{name}*"))) == 1 + len(LIMITS)
