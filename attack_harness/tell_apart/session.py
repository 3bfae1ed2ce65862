"""What the attacker does to compare: the same few requests, on either side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .. import addresses
from ..numbering import mobile_ranges
from .marked import MARK
from .wire import Line, Seen

COUNTRY = "KZ"
SEND, VERIFY = "/otp/send", "/otp/verify"
APART = 211
"""Between the numbers of one session: no neighbours."""

NUMBERS, GUESSES = 4, 3
AT_ONCE = 8
WARM = 80
"""Real sends before anything is compared: the app has been running."""


class Visit(NamedTuple):
    """A block of 1,000 numbers, asked for from one address; shadowed or not. Of its own block or of
    another, ``struck``, that address has asked before for a number that is refused."""

    block: str
    address: str
    shadowed: bool
    struck: str

    def phone(self, nth: int) -> str:
        """One of the block's numbers."""
        return f"{self.block}{(17 + nth * APART) % 1000:03}"


@dataclass(frozen=True, slots=True)
class Session:
    """All that the attacker saw of one block."""

    shadowed: bool
    connect: float
    sends: tuple[Seen, ...]
    resend: Seen
    guesses: tuple[Seen, ...]


async def play(visit: Visit, port: int) -> Session:
    """Ask for codes, one of them again, and enter wrong ones."""
    async with Line(port, visit.address) as line:
        first = await line.post(SEND, {"phone": visit.phone(0)})
        resend = await line.post(SEND, {"phone": visit.phone(0)})
        others = [await line.post(SEND, {"phone": visit.phone(n)}) for n in range(1, NUMBERS)]
        guesses = [
            await line.post(VERIFY, {"phone": visit.phone(n % 2), "code": f"{n:06}"})
            for n in range(GUESSES)
        ]
    return Session(visit.shadowed, line.connect, (first, *others), resend, tuple(guesses))


def visits(seed: int, count: int) -> list[Visit]:
    """So many visits, each to a block and from an address of its own, half of them shadowed."""
    rng = random.Random(seed)
    blocks = list(_blocks(rng, 2 * count))
    sides = [n % 2 == 0 for n in range(count)]
    rng.shuffle(sides)
    pool = [addresses.residential(COUNTRY, rng) for _ in range(min(count, 400))]
    return [
        Visit(blocks[n], pool[n % len(pool)], side, blocks[n if side else count + n])
        for n, side in enumerate(sides)
    ]


def _blocks(rng: random.Random, count: int) -> Iterator[str]:
    ranges = mobile_ranges(COUNTRY)
    seen: set[str] = set()
    while len(seen) < count:
        block = rng.choice(ranges)
        found = block.number(rng.randrange(block.size))[:-3]
        if found not in seen:
            seen.add(found)
            yield found


async def compare(port: int, seed: int, count: int) -> list[Session]:
    """Have half of the blocks shadowed, and play all visits in one random order."""
    planned = visits(seed, count)
    rng = random.Random(seed + 1)
    home = mobile_ranges("GB")[0]
    warm = [home.number(n * 7_919 % home.size) for n in range(WARM)]
    users = [addresses.residential("GB", rng) for _ in range(WARM)]
    await _each([_ask(port, user, phone) for user, phone in zip(users, warm, strict=True)])
    await _each([_ask(port, visit.address, visit.struck + MARK) for visit in planned])
    places = asyncio.Semaphore(AT_ONCE)

    async def one(visit: Visit) -> Session:
        async with places:
            return await play(visit, port)

    return await asyncio.gather(*map(one, planned))


async def _ask(port: int, address: str, phone: str) -> None:
    async with Line(port, address) as line:
        await line.post(SEND, {"phone": phone})


async def _each(asking: Sequence[Coroutine[object, object, None]]) -> None:
    for first in range(0, len(asking), AT_ONCE):
        await asyncio.gather(*asking[first : first + AT_ONCE])
