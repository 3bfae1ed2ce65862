"""What a policy made of a journal: messages and dollars by day and rule, and whom it bothered."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from pumpguard.attempt import micros
from pumpguard.decision import Decision
from pumpguard.policy import Policy
from pumpguard.replay.journal import ANSWERED_WITHIN, Played
from pumpguard.replay.own_events import Again
from pumpguard.rules.hold_out import HELD_OUT

ALLOWED, ASKED, REFUSED = range(3)

DAY = 86_400


@lru_cache(maxsize=1_024)
def date(day: int) -> str:
    """That of so many days after 1970, in UTC."""
    return f"{datetime.fromtimestamp(day * DAY, UTC):%Y-%m-%d}"


@dataclass
class Sum:
    """Messages and micro-dollars."""

    messages: int = 0
    micros: int = 0

    def add(self, price: int) -> None:
        self.messages += 1
        self.micros += price

    @property
    def usd(self) -> float:
        return self.micros / 1e6


@dataclass
class Customers:
    """Those who entered a code: all, those who would have been asked for proof, and those who would
    have had no message to take it from."""

    all: int = 0
    asked: int = 0
    refused: int = 0


@dataclass
class HeldOut:
    """What went out though rules would have refused it: how often, for how much, and for which
    numbers, each on its day, with whether a code was entered."""

    sum: Sum = field(default_factory=Sum)
    numbers: dict[tuple[str, str], bool] = field(default_factory=dict)

    @property
    def verified(self) -> int:
        """For how many of the numbers a code was entered."""
        return sum(self.numbers.values())

    def add(self, number: tuple[str, str], price: int, verified: bool) -> None:
        self.sum.add(price)
        self.numbers[number] = self.numbers.get(number, False) or verified


@dataclass
class Visit:
    """Somebody who will enter a code: since when, and what became of his requests."""

    at: float
    country: str
    allowed: bool = False
    asked: bool = False


@dataclass
class Tally:
    """What a policy made of a journal. ``by_rule`` are the refusals of each rule, ``verdicts`` one
    of `ALLOWED`, `ASKED` and `REFUSED` for each entry."""

    policy: Policy
    without: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    with_guard: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_rule: dict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    customers: Customers = field(default_factory=Customers)
    by_country: dict[str, Customers] = field(default_factory=lambda: defaultdict(Customers))
    verdicts: array[int] = field(default_factory=lambda: array("b"))
    held_out: HeldOut = field(default_factory=HeldOut)
    faults: Counter[str] = field(default_factory=Counter)
    again: Again = field(default_factory=Again)
    _visits: dict[str, Visit] = field(default_factory=dict)

    def entered(self, entry: Played) -> None:
        """A code was entered: whose, and could it have been?"""
        visit = self._visits.pop(entry.phone, None)
        self.verdicts.append(ALLOWED)
        if visit is None or visit.at < entry.at - ANSWERED_WITHIN:
            return  # the log has no message for it
        for each in (self.customers, self.by_country[visit.country]):
            each.all += 1
            each.asked += visit.asked
            each.refused += not visit.allowed

    def add(self, entry: Played, decision: Decision, asked: bool) -> None:
        price = micros(decision.attempt.price or 0.0)
        day = date(int(entry.at // DAY))
        if entry.sent:
            self.without[day].add(price)
        if decision.allowed and entry.sent:
            self.with_guard[day].add(price)
        if decision.allowed_because == HELD_OUT:
            self.held_out.add((entry.phone, day), price, entry.verified)
        if decision.finding is not None and entry.sent:
            self.by_rule[decision.finding.rule].add(price)
        self.verdicts.append(REFUSED if not decision.allowed else ASKED if asked else ALLOWED)
        if entry.verified:
            visit = self._visits.get(entry.phone)
            if visit is None or visit.at < entry.at - ANSWERED_WITHIN:
                country = decision.attempt.phone.region or "unknown"
                visit = self._visits[entry.phone] = Visit(entry.at, country)
            visit.allowed |= decision.allowed
            visit.asked |= asked

    def saved(self) -> dict[str, Any]:
        """All of it but the policy, ready for JSON."""
        held = [[*key, verified] for key, verified in self.held_out.numbers.items()]
        return {
            **{name: _saved(getattr(self, name)) for name in SUMS},
            "customers": asdict(self.customers),
            "by_country": _saved(self.by_country),
            "verdicts": self.verdicts.tobytes().hex(),
            "held_out": [asdict(self.held_out.sum), held],
            "faults": self.faults,
            "again": asdict(self.again),
            "visits": _saved(self._visits),
        }

    @classmethod
    def restored(cls, policy: Policy, saved: dict[str, Any]) -> Tally:
        """The one that was `saved`."""
        tally = cls(policy)
        for name in SUMS:
            getattr(tally, name).update((k, Sum(**each)) for k, each in saved[name].items())
        tally.customers = Customers(**saved["customers"])
        tally.by_country.update((k, Customers(**each)) for k, each in saved["by_country"].items())
        tally.verdicts.frombytes(bytes.fromhex(saved["verdicts"]))
        sum_, held = saved["held_out"]
        tally.held_out = HeldOut(Sum(**sum_), {(phone, day): v for phone, day, v in held})
        tally.faults.update(saved["faults"])
        again = saved["again"]
        tally.again = Again(again["decided"], again["same"], [(*e,) for e in again["examples"]])
        tally._visits.update((k, Visit(**each)) for k, each in saved["visits"].items())
        return tally


SUMS = "without", "with_guard", "by_rule"


def _saved(named: dict[str, Any]) -> dict[str, Any]:
    return {name: asdict(each) for name, each in named.items()}
