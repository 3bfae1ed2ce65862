"""How soon the adaptive prefix stops a block, and whom it refuses: ``python -m attack_harness.adaptive``.

One country, healthy users spread over 24 ranges by Zipf's law, and an attacker who draws from one
block, through the rule's counter alone. The table in ``docs/detection.md`` is this program's.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from pumpguard.counters import Trie
from pumpguard.store.kinds import trie

HOUR = 3_600_000
START = 1_700_000_000_000
RANGES = 24
DIGITS = 10
SIZES = (2, 3, 4, 5, 6, 7)
RATES = (60, 300, 1200)


@dataclass
class Outcome:
    """What one run came to."""

    passed: int = 0
    refused_healthy: int = 0
    healthy: int = 0
    blocks: list[int] = field(default_factory=list)


@dataclass
class Country:
    """Healthy users of a country: ranges of 10 million, the first with the most users."""

    chance: random.Random
    ranges: list[str]

    @classmethod
    def of(cls, seed: int) -> Country:
        chance = random.Random(seed)
        leading = chance.sample("123456789", 3)
        codes = [lead + f"{n:02d}" for lead in leading for n in chance.sample(range(100), 8)]
        chance.shuffle(codes)
        return cls(chance, codes)

    def number(self) -> str:
        """Somebody's number."""
        weights = [1 / (n + 1) for n in range(RANGES)]
        code = self.chance.choices(self.ranges, weights)[0]
        return code + f"{self.chance.randrange(10**7):07d}"


def poisson(chance: random.Random, per_hour: float, begin: float, end: float) -> Iterator[float]:
    """Times of arrivals."""
    at = begin
    while per_hour:
        at += chance.expovariate(per_hour / HOUR)
        if at >= end:
            return
        yield at


def run(
    counter: Trie, seed: int, healthy: int, warm: float, hours: float,
    attack: tuple[int, int] | None = None, surge: float = 1.0,
) -> Outcome:
    """Healthy traffic for ``warm`` hours, then ``hours`` of an attack (free digits, sends an hour),
    or of ``surge`` times the usual."""
    country, chance = Country.of(seed), random.Random(seed + 1)
    begin = START + warm * HOUR
    end = begin + hours * HOUR
    events = [(at, False) for at in poisson(chance, healthy, START, begin)]
    events += [(at, False) for at in poisson(chance, healthy * surge, begin, end)]
    block, free = "", 0
    if attack:
        free, rate = attack
        events += [(at, True) for at in poisson(chance, rate, begin, end)]
        inside = chance.random() < 0.5  # half of the blocks lie where users are
        base = country.number() if inside else chance.choice("123456789") + f"{chance.randrange(10**9):09d}"
        block = base[: DIGITS - free]
    events.sort()
    kept, result = None, Outcome()
    for at, bad in events:
        number = block + f"{chance.randrange(10**free):0{free}d}" if bad else country.number()
        look = trie.look(counter, number, False, kept, int(at))
        if look.surge:
            result.blocks.append(DIGITS - look.surge.depth)
        if bad:
            result.passed += not look.wait
        elif at >= begin:
            result.healthy += 1
            result.refused_healthy += look.wait > 0
        kept, _ = look.charged()
    return result


def table(counter: Trie, healthy: int, warm: float, runs: int) -> None:
    """A line per attack."""
    print(f"healthy {healthy}/h, {warm:g} h before: block, rate | passed median p95 max | healthy refused")
    for free in SIZES:
        for rate in RATES:
            found = [run(counter, seed, healthy, warm, 4, (free, rate)) for seed in range(runs)]
            passed = sorted(each.passed for each in found)
            p95 = passed[min(runs - 1, round(0.95 * runs))]
            share = sum(f.refused_healthy for f in found) / max(1, sum(f.healthy for f in found))
            widths = [b for f in found for b in f.blocks]
            print(f"1e{free} {rate:5d} | {statistics.median(passed):5.0f} {p95:5d} {passed[-1]:5d} | {share:.2%} {sorted(set(widths))}", flush=True)
    for surge in (1.0, 5.0):
        found = [run(counter, seed, healthy, warm, 24 if surge == 1 else 4, surge=surge) for seed in range(runs)]
        refused, all_ = sum(f.refused_healthy for f in found), sum(f.healthy for f in found)
        print(f"no attack, x{surge:g}: {refused} of {all_} refused ({refused/all_:.3%}) {sum(len(f.blocks) for f in found)} blocks", flush=True)


if __name__ == "__main__":
    settings = {k: float(v) if "." in v else int(v) for k, v in (a.split("=") for a in sys.argv[1:])}
    healthy, warm, runs = (settings.pop(k, d) for k, d in (("healthy", 200), ("warm", 24), ("runs", 8)))
    table(Trie("adaptive_prefix", **settings), int(healthy), warm, int(runs))
