"""What `population_shape` sees that a trie of blocks does not, and whether a promotion is one.

``python -m attack_harness.shape [runs]`` prints the table of ``docs/detection.md``: the country of
`attack_harness.adaptive`, a day of users alone, then four hours of an attack that is spread over
one range, many blocks or all ranges, or of five times the users. Through the counters alone,
nobody proves anything.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from pumpguard.counters import Mix, Trie
from pumpguard.store.kinds import mix, trie

from .adaptive import ATTACKED, DIGITS, HOUR, START, WARM, Country, times

MIX, TRIE = Mix("mix"), Trie("trie")
USERS = (20, 200, 1000)
BLOCKS = 40


@dataclass(frozen=True, slots=True)
class Spread:
    """Sends an hour, spread over so many blocks of 10^free numbers (0 blocks: the whole plan)."""

    name: str
    rate: int
    blocks: int
    free: int


SPREADS = (
    Spread("one block of 1,000", 60, 1, 3),
    Spread("one range", 300, 1, 7),
    Spread("40 blocks of 1,000", 300, BLOCKS, 3),
    Spread("40 blocks of 1,000", 60, BLOCKS, 3),
    Spread("all ranges alike", 300, 24, 7),
    Spread("any digits", 300, 0, 0),
)


@dataclass(slots=True)
class Seen:
    """Attack sends up to the first finding of each counter (none: never), and those that passed;
    users since the attack began, and those who were asked; alarms, from the first day on."""

    first: int | None = None
    first_of_trie: int | None = None
    passed: int = 0
    sent: int = 0
    users: int = 0
    asked: int = 0
    alarms: int = 0


def run(seed: int, users: int, spread: Spread | None = None, *, busier: float = 1.0) -> Seen:
    """One country, through both counters, each with its own memory."""
    country, chance = Country(seed), random.Random(seed + 1)
    begin = START + WARM * HOUR
    end = begin + ATTACKED * HOUR
    events = [(at, False) for at in times(chance, users, START, begin)]
    events += [(at, False) for at in times(chance, users * busier, begin, end)]
    blocks = [""]
    if spread is not None:
        events += [(at, True) for at in times(chance, spread.rate, begin, end)]
        if spread.blocks:
            numbers = (_ranges(country, chance) for _ in range(spread.blocks))
            blocks = [number[: DIGITS - spread.free] for number in numbers]
    shape, tree, found = None, None, Seen()
    for at, bad in sorted(events):
        number = country.number()
        if bad:
            number = (chance.choice(blocks) + f"{chance.randrange(1, 10**DIGITS):0{DIGITS}d}")[
                :DIGITS
            ]
        look = mix.look(MIX, number, False, shape, int(at))
        node = trie.look(TRIE, number, False, tree, int(at))
        if look.begins or not look.wait:
            shape, _ = look.charged()
        tree, _ = node.charged()
        found.alarms += look.begins
        if bad:
            found.sent += 1
            found.passed += not look.wait
            if look.wait and found.first is None:
                found.first = found.sent
            if node.wait and found.first_of_trie is None:
                found.first_of_trie = found.sent
        elif at >= begin:
            found.users += 1
            found.asked += look.wait > 0
    return found


def _ranges(country: Country, chance: random.Random) -> str:
    """A number of any of the country's ranges, popular or not."""
    return chance.choice(country.codes) + f"{chance.randrange(10**7):07d}"


def line(name: str, found: Sequence[Seen]) -> str:
    """Runs of one kind, as a row."""
    sent, users = sum(each.sent for each in found), sum(each.users for each in found)
    passed = f"{sum(each.passed for each in found) / sent:.0%}" if sent else ""
    asked = sum(each.asked for each in found)
    return (
        f"| {name} | {_median([each.first for each in found])} | "
        f"{_median([each.first_of_trie for each in found])} | {passed} | "
        f"{asked / users:.2%} ({asked} of {users}) | {sum(each.alarms for each in found)} |"
    )


def _median(found: Sequence[int | None]) -> str:
    """Of those who found anything, and how many did."""
    seen = [each for each in found if each is not None]
    return f"{statistics.median(seen):.0f} ({len(seen)} of {len(found)})" if seen else "never"


def main(runs: int = 4) -> None:
    """Print the tables."""
    for users in USERS:
        print(f"\n{users} users an hour, seeds 0 to {runs - 1}\n")
        print("| attack, sends/h | first finding | of a trie | passed | users asked | alarms |")
        print("| --- | --- | --- | --- | --- | --- |")
        for each in SPREADS:
            seen = [run(seed, users, each) for seed in range(runs)]
            print(line(f"{each.name}, {each.rate}", seen), flush=True)
        for busier in (1.0, 5.0):
            seen = [run(seed, users, busier=busier) for seed in range(runs)]
            print(line(f"none, users x {busier:g}", seen), flush=True)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
