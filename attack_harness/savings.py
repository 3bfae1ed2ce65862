"""The money side: what each attack cost, what the guard saved, and how soon it woke up.

A request of an attack is *refused* if it led to a paid message without the guard and did not with
it, whatever the reply looked like: silent refusals count, numbers that no carrier takes do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .actors import Exchange, Log
from .attackers.base import SOLVED_CHALLENGE, Attack
from .attribution import by_side
from .books import Books, Message
from .clock import DAY, MIDNIGHT, hour_label
from .figures import Table, money, share
from .user import Outcome

STEP = 300.0
"""Seconds between two points of the spending curve."""


@dataclass(frozen=True)
class RunResult:
    """What is left of one run."""

    log: Log
    outcomes: Sequence[Outcome]
    books: Books
    wall_seconds: float

    @cached_property
    def _by_side(self) -> Mapping[str, Sequence[Message]]:
        return by_side(self.log, self.books.ledger)

    def paid(self, side: str) -> Sequence[Message]:
        """The messages that one side asked for and the app paid for."""
        return self._by_side.get(side, ())


@dataclass(frozen=True)
class Tally:
    """One attack in one run."""

    requests: int
    solutions: int
    messages: int
    spend: float
    income: float
    costs: float

    def table(self) -> Table:
        """As JSON."""
        return {
            "requests": self.requests,
            "messages": self.messages,
            "spend": money(self.spend),
            "attacker_income": money(self.income),
            "attacker_costs": money(self.costs),
            "attacker_profit": money(self.income - self.costs),
            "challenges_solved": self.solutions,
        }


def saved(without: float, with_guard: float) -> float:
    """The share of the spend that the guard avoided."""
    return share(without - with_guard, without)


def attack_entry(attack: Attack, without: RunResult, guarded: RunResult) -> Table:
    """One attack, without and with the guard."""
    open_, shut = tally(attack, without), tally(attack, guarded)
    return {
        "name": attack.name,
        "title": attack.title,
        "starts": hour_label(MIDNIGHT + attack.starts),
        "starts_seconds": attack.starts,
        "ends_seconds": attack.ends,
        "numbers": len(attack.phones),
        "addresses": len({shot.address for shot in attack.shots}),
        "without": open_.table(),
        "with": shut.table(),
        "saved": saved(open_.spend, shut.spend),
        "before_first_refusal": before_first_refusal(
            _exchanges(attack, guarded.log), without.books.ledger, guarded.books.ledger
        ),
    }


def _exchanges(attack: Attack, log: Log) -> list[Exchange]:
    return [e for e in log.exchanges if e.side == attack.name]


def tally(attack: Attack, run: RunResult) -> Tally:
    """Count one attack's requests and the messages that they led to in one run."""
    requests = _exchanges(attack, run.log)
    solutions = sum(e.human for e in requests)
    messages = run.paid(attack.name)
    return Tally(
        requests=len(requests),
        solutions=solutions,
        messages=len(messages),
        spend=sum(m.price for m in messages),
        income=sum(m.owner_share for m in messages),
        costs=len(requests) * attack.proxy_cost + solutions * SOLVED_CHALLENGE,
    )


def before_first_refusal(
    requests: Iterable[Exchange], without: Iterable[Message], guarded: Iterable[Message]
) -> Table:
    """What went through before the guard refused this attack anything for the first time."""
    expected = {(m.phone, m.at) for m in without}
    paid = {(m.phone, m.at): m.price for m in guarded}
    messages, spend, first = 0, 0.0, None
    for request in sorted(requests, key=lambda e: e.at):
        key = (request.phone, request.at)
        if key in paid:
            messages, spend = messages + 1, spend + paid[key]
        elif key in expected:
            first = request.at
            break
    return {
        "messages": messages,
        "spend": money(spend),
        "at": None if first is None else hour_label(first),
        "seconds": None if first is None else round(first - MIDNIGHT, 3),
    }


def timeline(ledger: Iterable[Message], days: int = 1) -> list[float]:
    """Cumulative spend at every step of the time; what comes after its end is in the last one."""
    spent = [0.0] * (int(days * DAY / STEP) + 1)
    for message in ledger:
        step = int((message.at - MIDNIGHT) / STEP) + 1
        spent[max(0, min(step, len(spent) - 1))] += message.price
    total = 0.0
    return [money(total := total + amount) for amount in spent]
