"""What each signal of `population_shape` sees, and whether a promotion is an attack to any.

``python -m attack_harness.shape [runs]`` prints the tables of ``docs/detection.md``: the country of
`attack_harness.adaptive`, a day of users alone, then four hours of an attack that is drawn from one
block, many, all ranges or any digits, with as many users as always or five times as many. Through
the counters alone, nobody proves anything.

Of users' messages one in a hundred is rejected as unallocated (assumed: a wrong digit), of those to
any digits outside of the ranges all, inside half (assumed: how full ranges are), of those to an
attacker's own blocks none. The operator says so five seconds later.
"""

from __future__ import annotations

import random
import statistics
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from pumpguard.counters import Gaps, Mix, Trie, Unallocated
from pumpguard.store.kinds import Stored, gaps, mix, trie, unallocated

from .adaptive import ATTACKED, DIGITS, HOUR, START, WARM, Country, times

SIGNALS = ("gaps", "unallocated", "mix")
USERS = (20, 200, 1000)
BLOCKS = 40
MISTYPED, EMPTY = 0.01, 0.5
RECEIPT = 5_000
"""Milliseconds until the operator rejects a message."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Sends an hour, spread over so many blocks of 10^free numbers (0 blocks: the whole plan), of
    which the attacker may own all or nothing, in order or not; users so many times as usual."""

    name: str
    rate: int = 60
    blocks: int = 1
    free: int = 3
    owned: bool = True
    in_order: bool = False
    busier: float = 1.0


SPREADS = (
    Spread("10^3 in order", in_order=True),
    Spread("10^2 shuffled", free=2),
    Spread("10^3 shuffled"),
    Spread("10^4 shuffled", free=4),
    Spread("10^5 shuffled", free=5),
    Spread("10^5 shuffled", 300, free=5),
    Spread("10^6 shuffled", 300, free=6),
    Spread("one range", 300, free=7),
    Spread("40 blocks of 10^3", 60, BLOCKS),
    Spread("40 blocks of 10^3", 300, BLOCKS),
    Spread("all ranges alike", 300, 24, 7, owned=False),
    Spread("any digits", 60, 0, owned=False),
    Spread("any digits", 300, 0, owned=False),
    Spread("10^4 in users x 5", 300, free=4, busier=5.0),
    Spread("40 blocks in users x 5", 300, BLOCKS, busier=5.0),
    Spread("any digits in users x 5", 300, 0, owned=False, busier=5.0),
    Spread("none, users x 1", 0),
    Spread("none, users x 5", 0, busier=5.0),
)


@dataclass(slots=True)
class Seen:
    """Attack sends up to the first finding of each signal, of all together and of a trie (absent:
    never), and those that passed; users since the attack began, those asked by each signal, and
    alarms, from the first day on."""

    first: dict[str, int] = field(default_factory=dict)
    passed: int = 0
    sent: int = 0
    users: int = 0
    asked: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*SIGNALS, "all"), 0))
    alarms: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIGNALS, 0))


class Signals:
    """A country's counters; some of the signals together, as the rule has them."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.alarms = 0
        self._gaps, self._unallocated, self._mix = Gaps("g"), Unallocated("u"), Mix("m")
        self._kept: dict[str, Stored] = {}
        self._receipts: deque[float] = deque()

    def asks(self, number: str, at: float, nobody: bool) -> bool:
        """Whether somebody is asked for proof; ``nobody`` has the number."""
        now = int(at)
        while self._receipts and self._receipts[0] <= at:
            self._reject(int(self._receipts.popleft()))
        looks = [self._look(name, number, now) for name in self.names]
        asked = any(look.wait for look in looks)
        for name, look in zip(self.names, looks, strict=True):
            begins = not isinstance(look, unallocated.UnallocatedLook) and look.begins
            self.alarms += begins
            if begins or not asked:
                written = look.charged()
                if written is not None:
                    self._kept[name] = written[0]
        if nobody and not asked:
            self._receipts.append(at + RECEIPT)
        return asked

    def _look(
        self, name: str, number: str, now: int
    ) -> gaps.GapsLook | unallocated.UnallocatedLook | mix.MixLook:
        kept = self._kept.get(name)
        if name == "gaps":
            return gaps.look(self._gaps, number, False, kept, now)
        if name == "mix":
            return mix.look(self._mix, number, False, kept, now)
        return self._rejections(now)

    def _rejections(self, now: int) -> unallocated.UnallocatedLook:
        return unallocated.look(self._unallocated, False, self._kept.get("unallocated"), now)

    def _reject(self, now: int) -> None:
        written = self._rejections(now).rejected() if "unallocated" in self.names else None
        if written is not None:
            self._kept["unallocated"] = written[0]
            self.alarms += written[0].till > 0


def run(seed: int, users: int, spread: Spread) -> Seen:
    """One country, through each signal alone, all together and a trie, each with its own memory."""
    country, chance = Country(seed), random.Random(seed + 1)
    begin = START + WARM * HOUR
    end = begin + ATTACKED * HOUR
    events = [(at, False) for at in times(chance, users, START, begin)]
    events += [(at, False) for at in times(chance, users * spread.busier, begin, end)]
    if spread.rate:
        events += [(at, True) for at in times(chance, spread.rate, begin, end)]
    numbers = (_ranges(country, chance) for _ in range(spread.blocks))
    blocks = [number[: DIGITS - spread.free] for number in numbers] or [""]
    alone = {name: Signals((name,)) for name in SIGNALS} | {"all": Signals(SIGNALS)}
    tree, found = None, Seen()
    for at, bad in sorted(events):
        number = country.number()
        nobody = chance.random() < MISTYPED
        if bad:
            drawn = f"{chance.randrange(1, 10**DIGITS):0{DIGITS}d}"
            if spread.in_order:
                drawn = f"{found.sent % 10**spread.free:0{spread.free}d}"
            number = (chance.choice(blocks) + drawn)[:DIGITS]
            empty = number[:3] not in country.codes or chance.random() < EMPTY
            nobody = empty and not spread.owned
        asked = {name: signals.asks(number, at, nobody) for name, signals in alone.items()}
        node = trie.look(Trie("trie"), number, False, tree, int(at))
        tree, _ = node.charged()
        if bad:
            found.sent += 1
            found.passed += not asked["all"]
            for name, speaks in {**asked, "trie": node.wait > 0}.items():
                if speaks:
                    found.first.setdefault(name, found.sent)
        elif at >= begin:
            found.users += 1
            for name, speaks in asked.items():
                found.asked[name] += speaks
    found.alarms = {name: alone[name].alarms for name in SIGNALS}
    return found


def _ranges(country: Country, chance: random.Random) -> str:
    """A number of any of the country's ranges, popular or not."""
    return chance.choice(country.codes) + f"{chance.randrange(10**7):07d}"


def line(name: str, found: Sequence[Seen]) -> str:
    """Runs of one kind, as a row."""
    sent, users = sum(each.sent for each in found), sum(each.users for each in found)
    passed = f"{sum(each.passed for each in found) / sent:.0%}" if sent else ""
    firsts = " | ".join(_median(found, of) for of in (*SIGNALS, "all", "trie"))
    asked = {of: sum(each.asked[of] for each in found) / users for of in (*SIGNALS, "all")}
    shares = " | ".join(f"{share:.1%}" for share in asked.values())
    alarms = ", ".join(str(sum(each.alarms[of] for each in found)) for of in SIGNALS)
    return f"| {name} | {firsts} | {passed} | {shares} | {alarms} |"


def _median(found: Sequence[Seen], of: str) -> str:
    """Of those who found anything, and in how many runs one did, if not in all."""
    seen = [each.first[of] for each in found if of in each.first]
    if not seen:
        return "never"
    some = f" ({len(seen)} of {len(found)})" if len(seen) < len(found) else ""
    return f"{statistics.median(seen):.0f}{some}"


def main(runs: int = 4) -> None:
    """Print the tables."""
    for users in USERS:
        print(f"\n{users} users an hour, seeds 0 to {runs - 1}\n")
        print(
            "| attack, sends/h | gaps | unallocated | mix | all | trie | passed "
            "| asked: gaps | unallocated | mix | all | alarms |"
        )
        print("| --- " * 12 + "|")
        for each in SPREADS:
            name = f"{each.name}, {each.rate}" if each.rate else each.name
            print(line(name, [run(seed, users, each) for seed in range(runs)]), flush=True)


if __name__ == "__main__":
    main(*(int(each) for each in sys.argv[1:]))
