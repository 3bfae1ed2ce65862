"""What was seen in some buckets: by country, rule, block and network, in requests and dollars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pumpguard.decision import Action
from pumpguard.ops.fleet.tally import QUIET

MILLION = 1_000_000

COUNTRIES = 15
"""Countries in the table of money."""

REFUSING = ("throttle", "block", "shadow")
"""Actions after which nothing is sent. Challenges may be solved, and then it is."""


@dataclass(slots=True)
class Amount:
    """Requests, and what their messages cost or would have cost, in micro-dollars."""

    n: int = 0
    u: int = 0

    @property
    def usd(self) -> float:
        return self.u / MILLION

    def add(self, what: str, amount: int) -> None:
        if what == "n":
            self.n += amount
        elif what == "u":
            self.u += amount


@dataclass
class Period:
    """What was seen in some buckets."""

    countries: dict[str, dict[str, Amount]] = field(default_factory=dict)
    """By the phone's country, and by action."""
    clients: Counter[str] = field(default_factory=Counter)
    """Requests by the address's country."""
    rules: dict[str, Counter[str]] = field(default_factory=dict)
    """By rule, and by what is said of it (`pumpguard.ops.fleet.tally`)."""
    blocks: dict[tuple[str, str], dict[str, Amount]] = field(default_factory=dict)
    """By country and block, and by rule; ``""`` is what was let through, in minutes alone to all
    blocks."""
    networks: dict[tuple[str, str], Amount] = field(default_factory=dict)
    """Refused, by masked network and its country."""
    deliveries: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    """By country and carrier: what providers reported (`pumpguard.ops.fleet.deliveries`)."""
    outcomes: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, buckets: Iterable[Mapping[str, int]]) -> Period:
        period = cls()
        for bucket in buckets:
            for name, amount in bucket.items():
                period._add(name.split("\t"), amount)
        return period

    @classmethod
    def total(cls, periods: Iterable[Period]) -> Period:
        """The sum of several; of blocks and networks there are too many to be summed each time."""
        whole = cls()
        for each in periods:
            for country, by_action in each.countries.items():
                mine = whole.countries.setdefault(country, {})
                for action, amount in by_action.items():
                    known = mine.setdefault(action, Amount())
                    known.n += amount.n
                    known.u += amount.u
            whole.clients.update(each.clients)
            whole.outcomes.update(each.outcomes)
            for where, words in each.deliveries.items():
                whole.deliveries.setdefault(where, Counter()).update(words)
            for rule, said in each.rules.items():
                whole.rules.setdefault(rule, Counter()).update(said)
        return whole

    def _add(self, parts: list[str], amount: int) -> None:
        match parts:
            case ["c", country, action, what]:
                by_action = self.countries.setdefault(country, {})
                by_action.setdefault(action, Amount()).add(what, amount)
            case ["o", country, "n"]:
                self.clients[country] += amount
            case ["r", rule, what]:
                self.rules.setdefault(rule, Counter())[what] += amount
            case ["b", country, block, rule, what]:
                by_rule = self.blocks.setdefault((country, block), {})
                name = "" if rule == QUIET else rule
                by_rule.setdefault(name, Amount()).add(what, amount)
            case ["w", network, country, what]:
                self.networks.setdefault((network, country), Amount()).add(what, amount)
            case ["d", country, carrier, what]:
                self.deliveries.setdefault((country, carrier), Counter())[what] += amount
            case ["k", what]:
                self.outcomes[what] += amount

    @cached_property
    def actions(self) -> dict[str, Amount]:
        """By action, mildest first."""
        found = {str(action): Amount() for action in Action}
        for by_action in self.countries.values():
            for action, amount in by_action.items():
                found[action].n += amount.n
                found[action].u += amount.u
        return found

    @property
    def requests(self) -> int:
        return sum(amount.n for amount in self.actions.values())

    @property
    def spent(self) -> float:
        """USD of what was let through."""
        return self.actions["allow"].usd

    @property
    def refused(self) -> float:
        """USD that refused messages would have cost, each time they were asked for."""
        return sum(self.actions[name].usd for name in REFUSING)

    @property
    def by_country(self) -> Counter[str]:
        """Requests by the phone's country."""
        return Counter(
            {country: sum(a.n for a in by.values()) for country, by in self.countries.items()}
        )

    @property
    def refused_by_rule(self) -> Counter[str]:
        """Requests that were not let through, by the rule that decided."""
        return Counter(
            {rule: said["refused"] for rule, said in self.rules.items() if said["refused"]}
        )

    @property
    def asked(self) -> float:
        """USD that challenges stood before; of these, solved ones may have been sent since."""
        return self.actions["challenge"].usd

    @property
    def money(self) -> list[tuple[str, float, float, float]]:
        """Country, and USD spent there, refused, and stood before by challenges; the dearest
        first."""
        found = [
            (country, *self.of_country(country), by_action.get("challenge", Amount()).usd)
            for country, by_action in self.countries.items()
        ]
        return sorted(found, key=lambda each: (-sum(each[1:]), each[0]))[:COUNTRIES]

    def of_country(self, country: str) -> tuple[float, float]:
        """USD that were spent there, and refused."""
        by_action = self.countries.get(country, {})
        refused = (
            a.usd for name, a in by_action.items() if name in ("throttle", "block", "shadow")
        )
        return by_action.get("allow", Amount()).usd, sum(refused)
