"""What is played on a store to see what each kind of counter leaves in Redis."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

from redis.asyncio import Redis

from pumpguard.counters import Refunds, Retyped, Spike, Window
from pumpguard.store.base import Store
from tests.store.asking import (
    PHONE,
    PULSE,
    TICKETS,
    About,
    ask,
    ban,
    conversion,
    credit,
    distinct,
    neighbours,
    settle,
    sliced,
    spend,
    trust,
    verify,
    watched,
    window,
)

Play: TypeAlias = Callable[[Store], Awaitable[None]]

TOLD = (watched(About(PULSE)), spend(100_000), credit(100_000), conversion(), trust())


async def twice(abouts: tuple[About, ...], store: Store) -> None:
    """Two requests, a second apart, of which each kind alone has something to remember."""
    for second in range(2):
        await ask(store, *abouts, at=second, price=7_000, ticket=b"abcd")


async def sent(store: Store) -> None:
    """Two messages that have a ticket and are told to all."""
    for second in range(2):
        ticket = bytes([second]) * 4
        await ask(store, *PHONE, *TOLD, at=second, price=7_000 + second, ticket=ticket)


async def verified(store: Store) -> None:
    """One of two messages is verified, the other repeated."""
    await sent(store)
    await verify(store, *TOLD, at=20.0, network="192.0.2.1", last4=1234)


async def failed(store: Store) -> None:
    """One of two messages was never sent."""
    await sent(store)
    told = (About(TICKETS), *TOLD, About(Refunds("settlement", limit=1_000_000)))
    assert await settle(store, *told, outcome="failed", ticket=b"\1" * 4, at=30.0)


async def trusted(store: Store) -> None:
    """A message of a network that is told, and its verification."""
    await ask(store, *PHONE, trust(), price=7_000, ticket=b"abcd")
    await verify(store, trust(), conversion(), at=20.0)


ALONE: dict[str, tuple[About, ...]] = {
    "log": (window(3),),
    "two windows of one log": (window(3), window(5, 3_600)),
    "attempts": (window(3, counts="attempts"),),
    "headroom": (trust(), About(Window("window", "network", 3, 60, max_factor=4))),
    "slices": (window(600),),
    "wide slices": (window(70_000),),
    "headroom in slices": (sliced(3),),
    "distinct": (distinct("GB"),),
    "neighbours": (neighbours(1234),),
    "strikes": (ban(3, "attempts"),),
    "ban": (ban(2, "attempts"),),
    "strikes in slices": (ban(600, "attempts"),),
    "spend": (spend(100_000),),
    "credit": (credit(100_000),),
    "conversion": (conversion(),),
    "trust": (trust(),),
    "spike": (About(Spike("spike")),),
    "spike of attempts": (About(Spike("spike", counts="attempts")),),
    "tickets": (About(TICKETS),),
    "retyped": (About(Retyped("credit", "prefix:3"), member="+88017123"),),
}

SCENARIOS: dict[str, Play] = {
    **{what: partial(twice, abouts) for what, abouts in ALONE.items()},
    "sent": sent,
    "verified": verified,
    "failed": failed,
    "trusted": trusted,
}


async def segments(url: str, name: str) -> dict[str, str]:
    """Every counter in the server: the end of its subject's key and its id, and its bytes."""
    found = {}
    async with Redis.from_url(url) as redis:
        async for key in redis.scan_iter(f"pg1:{{{name}}}:*"):
            value, at = await redis.get(key), 6
            assert isinstance(value, bytes)
            while at < len(value):
                size, head = value[at + 3], 4
                if size == 255:
                    size, head = int.from_bytes(value[at + 4 : at + 6]), 6
                place = f"{key.decode()[-4:]} {value[at : at + 3].hex()}"
                found[place] = short(value[at + head : at + head + size])
                at += head + size
    return found


def short(stored: bytes) -> str:
    """In hex, with the length of each longer run of zeros."""
    runs = enumerate(re.split(rb"(\0{8,})", stored))
    return "".join(f"({len(run)})" if i % 2 else run.hex() for i, run in runs)
