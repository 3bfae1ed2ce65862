"""How soon `adaptive_prefix` stops a block, and whom else it refuses.

``python -m attack_harness.adaptive [users an hour] [runs]`` prints the table of
``docs/detection.md``: one country, users spread over 24 ranges by Zipf's law, and an attacker who
draws from one block, through the rule's counter alone. Half of the blocks lie where users are.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pumpguard.counters import Trie
from pumpguard.store.kinds import trie

HOUR = 3_600_000
START = 1_700_000_000_000
DIGITS = 10
WEIGHTS = [1 / rank for rank in range(1, 25)]
FREE_DIGITS = (2, 3, 4, 5, 6, 7)
RATES = (60, 300, 1200)
WARM, ATTACKED, QUIET = 24, 4, 24
"""Hours: of users alone before anything else, under attack, without one."""


@dataclass(frozen=True, slots=True)
class Attack:
    """Sends an hour to numbers drawn from a block with so many free digits."""

    free: int
    rate: int


@dataclass(slots=True)
class Outcome:
    """What one run came to: attack sends passed, users and those refused, blocks closed."""

    passed: int = 0
    users: int = 0
    refused: int = 0
    closed: int = 0


class Country:
    """Users of 24 ranges of 10 million numbers, some ranges with far more users than others."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        leading = self._chance.sample("123456789", 3)
        self.codes = [
            f"{digit}{code:02d}" for digit in leading for code in self._chance.sample(range(100), 8)
        ]
        self._chance.shuffle(self.codes)

    def number(self) -> str:
        """Somebody's number."""
        code = self._chance.choices(self.codes, WEIGHTS)[0]
        return f"{code}{self._chance.randrange(10**7):07d}"


def run(
    counter: Trie, seed: int, users: int, attack: Attack | None = None, *, busier: float = 1.0
) -> Outcome:
    """A day of users; then hours of an attack, or of more users than usual."""
    country, chance = Country(seed), random.Random(seed + 1)
    begin = START + WARM * HOUR
    end = begin + (QUIET if attack is None and busier == 1.0 else ATTACKED) * HOUR
    events = [(at, False) for at in times(chance, users, START, begin)]
    events += [(at, False) for at in times(chance, users * busier, begin, end)]
    block = ""
    if attack is not None:
        events += [(at, True) for at in times(chance, attack.rate, begin, end)]
        anywhere = f"{chance.randrange(10**9, 10**10)}"
        among_users = country.number()
        block = (among_users if chance.random() < 0.5 else anywhere)[: DIGITS - attack.free]
    kept, found = None, Outcome()
    for at, bad in sorted(events):
        number = country.number()
        if bad:
            number = (block + f"{chance.randrange(10**DIGITS):0{DIGITS}d}")[:DIGITS]
        look = trie.look(counter, number, False, kept, int(at))
        found.closed += look.surge is not None
        found.passed += bad and not look.wait
        found.users += not bad and at >= begin
        found.refused += not bad and at >= begin and look.wait > 0
        kept, _ = look.charged()
    return found


def times(chance: random.Random, an_hour: float, begin: float, end: float) -> Iterator[float]:
    """Arrivals at random, so many an hour."""
    at = begin + chance.expovariate(an_hour / HOUR)
    while at < end:
        yield at
        at += chance.expovariate(an_hour / HOUR)


def line(name: str, found: Sequence[Outcome]) -> str:
    """Runs of one kind, as a row."""
    passed = sorted(each.passed for each in found)
    users, refused = sum(each.users for each in found), sum(each.refused for each in found)
    p95 = passed[min(len(passed) - 1, int(0.95 * len(passed)))]
    return (
        f"| {name} | {statistics.median(passed):.0f} | {p95} | {refused / users:.2%} "
        f"({refused} of {users}) | {sum(each.closed for each in found)} |"
    )


def main(users: int = 200, runs: int = 10) -> None:
    """Print the table."""
    counter = Trie("adaptive_prefix")
    print(f"{users} users an hour, seeds 0 to {runs - 1}")
    print("| block, sends/h | passed, median | p95 | users refused | blocks closed |")
    print("| --- | --- | --- | --- | --- |")
    for attack in (Attack(free, rate) for free in FREE_DIGITS for rate in RATES):
        found = [run(counter, seed, users, attack) for seed in range(runs)]
        print(line(f"10^{attack.free}, {attack.rate}", found), flush=True)
    for busier in (1.0, 5.0):
        found = [run(counter, seed, users, busier=busier) for seed in range(runs)]
        print(line(f"none, users x {busier:g}", found), flush=True)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
