"""How many bytes a tracked subject takes, and whether every key expires."""

from __future__ import annotations

from contextlib import AsyncExitStack

from pumpguard import Attempt
from pumpguard.attempt import Client, Phone
from pumpguard.rules import RateLimit

from ..kit.servers import server
from ..kit.stats import Table
from ..systems.ours import guard
from . import Bench
from .script_time import assess

RULE = RateLimit(name="two_windows", by="phone", limits="5/hour; 10/day")
HITS = 3


async def run(bench: Bench) -> Table:
    """Phones with two exact windows each, after their first message and after their third."""
    subjects = bench.pick(20_000, 100_000)
    with server() as store:
        async with AsyncExitStack() as stack:
            asked = guard(store.url, [RULE], stack, name="memory")
            await assess(asked, attempts(1, first=9_000_000))
            store.clear()
            empty = store.used_memory()
            bytes_after: list[float] = []
            for hit in range(HITS):
                bench.say(f"message {hit + 1} of {HITS}")
                await assess(asked, attempts(subjects))
                bytes_after.append((store.used_memory() - empty) / subjects)
            keys, eternal = store.keys()
    return {
        "subjects": subjects,
        "bytes_per_subject": round(bytes_after[0], 1),
        "bytes_per_subject_after_3": round(bytes_after[-1], 1),
        "keys_per_subject": round(keys / subjects, 3),
        "keys_without_ttl": eternal,
    }


def attempts(count: int, first: int = 0) -> list[Attempt]:
    """Attempts for so many phones, made directly: nothing is parsed here."""
    return [
        Attempt(Phone(f"+4474{number:08d}", "GB", 44, "mobile"), Client())
        for number in range(first, first + count)
    ]
