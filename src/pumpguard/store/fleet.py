"""What all processes of a fleet have seen: counts in buckets, who speaks, and the bans that stand.

Each process adds a batch once a second, in one call. A batch has a number and is added once, so one
whose reply was lost is simply sent again. A bucket belongs to a minute or to an hour and ends by
itself. What the fields of a bucket mean is for `pumpguard.ops.fleet` to say.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pumpguard.store.scripts import Call, Word, script

if TYPE_CHECKING:
    from pumpguard.store.transport.link import Link

MINUTE, HOUR = 60, 3_600
MINUTE_LIVES, HOUR_LIVES = 70 * MINUTE, 26 * HOUR
"""Seconds for which a bucket is kept. In Redis a bucket has at most some 3,000 blocks and networks
(``fleet.lua``)."""

QUIET = "\t-\t"
"""In fields of what is let through to blocks without refusals: they are of a minute alone."""

AT_ONCE = 10
"""Buckets that are read in one call: others' questions must not wait for it."""

SCRIPT = script("fleet")


class StandingBan(NamedTuple):
    """A ban in words, as the process that met it has put it down, and its end (Unix seconds)."""

    id: str
    until: float
    words: str


class Speaker(NamedTuple):
    """A process, its last word, and how many seconds ago that was, by the store's clock."""

    process: str
    silent: float
    word: str


class Look(NamedTuple):
    """Who speaks, and the buckets that were asked for."""

    speakers: tuple[Speaker, ...]
    buckets: tuple[dict[str, int], ...]


@dataclass(slots=True)
class Batch:
    """What a process adds at once to the minute and hour that begin at ``minute`` and ``hour``
    (Unix seconds). ``refused`` are hashes of numbers, each with rules (a tab between), and
    ``verified`` those of numbers that were verified, which are looked up among the former."""

    minute: int
    hour: int
    counts: Mapping[str, int]
    bans: Sequence[StandingBan] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    verified: Sequence[str] = ()


class FleetStore(Protocol):
    """Keeps what a fleet has seen. Raises `StoreError` when it cannot answer in time."""

    async def add(self, process: str, number: int, word: str, batch: Batch) -> None:
        """Add a process's batch, unless it has added one of this number or a later one."""

    async def look(self, minutes: Sequence[int] = (), hours: Sequence[int] = ()) -> Look:
        """Who speaks, and the buckets that begin at these times (Unix seconds)."""

    async def bans(self) -> Sequence[StandingBan]:
        """All bans that were put down and stand, the one that ends first in front."""

    async def forget(self, ban: str) -> bool:
        """Take a ban off the list of those that stand. Returns whether it was there."""


class SharedFleet:
    """In Redis or Valkey, in one slot. Batches go over the ``link`` that requests use, readings
    over the ``reader``."""

    def __init__(self, link: Link, reader: Link, prefix: str) -> None:
        self._link, self._reader, self._prefix = link, reader, f"{prefix}fleet:"

    async def add(self, process: str, number: int, word: str, batch: Batch) -> None:
        hours = [batch.hour - ago * HOUR for ago in range(3)]
        names = ("alive", "bans", "bans:text", *(f"refused:{hour}" for hour in hours))
        words: list[Word] = ["a", process, number, word, MINUTE_LIVES, HOUR_LIVES]
        words.append(len(batch.counts))
        for name, amount in batch.counts.items():
            words += name, amount
        words.append(len(batch.bans))
        for ban in batch.bans:
            words += ban.id, round(ban.until * 1000), ban.words
        words.append(len(batch.refused))
        for each in batch.refused.items():
            words += each
        words += len(batch.verified), *batch.verified
        buckets = (f"m:{batch.minute}", f"h:{batch.hour}")
        await self._link.run(Call(SCRIPT, self._keys(*names, *buckets), words))

    async def look(self, minutes: Sequence[int] = (), hours: Sequence[int] = ()) -> Look:
        names = [*(f"m:{each}" for each in minutes), *(f"h:{each}" for each in hours)]
        speakers: list[Speaker] = []
        buckets: list[dict[str, int]] = []
        for first in range(0, max(1, len(names)), AT_ONCE):
            keys = self._keys("nobody" if first else "alive", *names[first : first + AT_ONCE])
            now, said, *found = await self._reader.run(Call(SCRIPT, keys, ["r"]))
            if not first:
                speakers = [_speaker(now, *pair) for pair in _pairs(said)]
            buckets += ({name.decode(): int(n) for name, n in _pairs(each)} for each in found)
        return Look(tuple(speakers), tuple(buckets))

    async def bans(self) -> Sequence[StandingBan]:
        found = await self._reader.run(Call(SCRIPT, self._keys("bans", "bans:text"), ["b"]))
        each = zip(found[::3], found[1::3], found[2::3], strict=True)
        return [
            StandingBan(i.decode(), float(end) / 1000, words.decode()) for i, end, words in each
        ]

    async def forget(self, ban: str) -> bool:
        return bool(
            await self._reader.run(Call(SCRIPT, self._keys("bans", "bans:text"), ["l", ban]))
        )

    def _keys(self, *names: str) -> list[str]:
        return [self._prefix + name for name in names]


class MemoryFleet:
    """In this process, for it alone."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._said: dict[str, tuple[float, int, str]] = {}
        self._buckets: dict[tuple[int, int], Counter[str]] = {}
        self._refused: dict[tuple[int, str], str] = {}
        self._bans: dict[str, StandingBan] = {}

    async def add(self, process: str, number: int, word: str, batch: Batch) -> None:
        if number <= self._said.get(process, (0, -1, ""))[1]:
            return
        self._said[process] = self._clock(), number, word
        now = self._clock()
        lives = {MINUTE: MINUTE_LIVES, HOUR: HOUR_LIVES}
        self._buckets = {at: b for at, b in self._buckets.items() if at[1] + lives[at[0]] > now}
        oldest = batch.hour - 2 * HOUR
        self._refused = {at: rules for at, rules in self._refused.items() if at[0] >= oldest}
        counts = Counter(batch.counts)
        for number_hash, rules in batch.refused.items():
            if self._refused.setdefault((batch.hour, number_hash), rules) is rules:
                counts.update(f"r\t{rule}\tsampled" for rule in rules.split("\t"))
        for verified in batch.verified:
            before = [self._refused.pop((batch.hour - n * HOUR, verified), "") for n in range(3)]
            rules = next(filter(None, before), "")
            counts.update(f"r\t{rule}\tverified" for rule in rules.split("\t") if rule)
        known = {name: n for name, n in counts.items() if QUIET not in name}
        for at, seen in (((MINUTE, batch.minute), counts), ((HOUR, batch.hour), known)):
            self._buckets.setdefault(at, Counter()).update(seen)
        self._bans.update({each.id: each for each in batch.bans})

    async def look(self, minutes: Sequence[int] = (), hours: Sequence[int] = ()) -> Look:
        now = self._clock()
        asked = [*((MINUTE, each) for each in minutes), *((HOUR, each) for each in hours)]
        said = (Speaker(who, now - at, word) for who, (at, _, word) in self._said.items())
        return Look(tuple(said), tuple(dict(self._buckets.get(at, {})) for at in asked))

    async def bans(self) -> Sequence[StandingBan]:
        now = self._clock()
        self._bans = {each.id: each for each in self._bans.values() if each.until > now}
        return sorted(self._bans.values(), key=lambda each: each.until)

    async def forget(self, ban: str) -> bool:
        return self._bans.pop(ban, None) is not None


def _pairs(flat: Sequence[bytes]) -> zip[tuple[bytes, bytes]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _speaker(now: int, process: bytes, said: bytes) -> Speaker:
    at, _, word = said.decode().split(" ", 2)
    return Speaker(process.decode(), max(0.0, (now - int(at)) / 1000), word)
