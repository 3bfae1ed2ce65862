"""The most that an attacker can make a policy spend, per hour and per day.

`exposure` proves a bound from what the rules declare; it needs no store and no traffic. It holds in
every hour and every day, wherever they begin, against an attacker who

* chooses every number, address country, network kind, line type, session, account and device,
  uses any mix of them, and knows the policy;
* solves every challenge (they are sold at a dollar a thousand), and enters every code he wishes;
* has as many addresses and numbers as he likes, or as many as you say.

What is counted: enforced rules that do more than challenge, whatever is chosen. `Window`s and
`Spend`s per everything, country and calling code, and per phone, block of numbers or network if
you say how many there are (or a `Distinct` count limits them); a window of L bounds a time T by
L × ceil(T / window). Numbers of a kind or region that a rule refuses outright cost nothing.
A hold-out adds its dollars a day, within what budgets allow. Prices are rounded up to whole µ$.
What is said not to have been sent counts as nothing; what that may give back to budgets is added,
so that those hold even if it was sent.

What is not counted, though it helps: bans, which cost an attacker one more address; neighbours, of
which a block remembers only two dozen; counts per session, account, device or IPv6 site, which a
request may come without; distinct countries; conversion, which needs messages to judge by. Credit
bounds only those who cannot verify, where nobody else does: ``unverified``, beside the total.

What is not covered: prices above the table's (`pumpguard reconcile`), messages longer than one
segment, sends that the app makes without asking, rules that are changed meanwhile, overrides that
lift budgets (a posture, a list), a store that forgets (evicts keys, or is restored from a copy)
or whose shards' clocks disagree, a ``memory://`` store in several processes (each is bounded by
itself), and, where you say how many networks he has, requests whose address is unknown. A rule of
your own that reads the number itself, or more facts than can be tried in all combinations, is
taken to limit nothing.

While the store is away and ``on_store_failure`` is ``local``, each of ``workers`` processes alone
enforces its share, floor(L / workers) but at least 1: they spend at most ``away`` in an hour or a
day, beyond what the store has let through in the same time. Nothing bounds ``open``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from math import inf, isfinite
from typing import TYPE_CHECKING, NamedTuple

from pumpguard.counters import Window, micros
from pumpguard.counters.expected import Expected
from pumpguard.errors import PolicyError
from pumpguard.intake.settings import MOST_PARTS
from pumpguard.money.attacker import Destination, Held, held, shortest_numbers
from pumpguard.money.claims import Assumptions, Claim, Ledger
from pumpguard.money.solve import Bound, alone, together
from pumpguard.rules.assembly import without_verifications
from pumpguard.rules.hold_out import BINDING, RULE

if TYPE_CHECKING:
    from pumpguard.policy import Policy

HOUR, DAY = 3_600, 86_400
NONE: Set[str] = frozenset()


class Totals(NamedTuple):
    """USD per hour and per day; infinite where nothing bounds them."""

    hour: float
    day: float


@dataclass(frozen=True, slots=True)
class CountryExposure:
    """What can be spent on one country (or calling code of none) alone, and why not more."""

    country: str
    price: float
    hour: Bound
    day: Bound


@dataclass(frozen=True, slots=True)
class Exposure:
    """The bounds in USD; see this module's docstring for what they cover.

    ``countries`` has the dearest day first. ``without`` says what the total would be without each
    rule that has a part in it, ``unverified`` what somebody could spend who enters no code,
    ``unheard`` what anybody could before the first verification is heard (``None`` where none is
    told), ``away`` what is added while the store is.
    """

    hour: Bound
    day: Bound
    countries: Sequence[CountryExposure]
    without: Mapping[str, Totals]
    unverified: Totals
    unheard: Totals | None
    away: Totals
    networks: int | None
    numbers: int | None

    @property
    def bounded(self) -> bool:
        """Whether there is a bound at all."""
        return isfinite(self.hour.usd) and isfinite(self.day.usd)


def exposure(
    policy: Policy,
    *,
    networks: int | None = None,
    numbers: int | None = None,
    countries: Iterable[str] | None = None,
    expected: Mapping[str, float] | None = None,
) -> Exposure:
    """The most that an attacker with so many networks and numbers can make ``policy`` spend.

    ``countries`` restricts the question to messages to these regions (and calling codes such as
    ``+870``). ``expected`` is how many times as much as usual is expected to some, by country
    (`pumpguard.overrides.document.OverrideDocument.expected`): the bound is that of hours and days
    in which it is. Raises `PolicyError` for a country that is not known, or a negative count.
    """
    for name, count in (("networks", networks), ("numbers", numbers)):
        if count is not None and count < 0:
            raise PolicyError(name, "0 or more", count)
    case = _Case(policy, networks, numbers, countries, expected or {})
    hour, day = case.total(Assumptions(HOUR)), case.total(Assumptions(DAY))
    without = {rule: case.totals(without={rule}) for rule in case.parts()}
    early = {rule.name for rule in without_verifications(policy.chain) if rule.mode != "enforce"}
    unheard = case.totals(early, verifies=False, heard=False) if policy.verified else None
    unverified, away = case.totals(verifies=False), _away(policy, case)
    return Exposure(
        hour, day, case.countries(), without, unverified, unheard, away, networks, numbers
    )


class _Case:
    """A policy and an attacker, ready to be asked about any time."""

    def __init__(
        self,
        policy: Policy,
        networks: int | None,
        numbers: int | None,
        countries: Iterable[str] | None,
        expected: Mapping[str, float],
    ) -> None:
        self.hold_out = policy.hold_out
        self.binding = {rule.name for rule in policy.chain if isinstance(rule, BINDING)}
        self.destinations = _destinations(policy, countries)
        self.prices = [destination.price for destination in self.destinations]
        self.refused: dict[str, list[int]] = {}
        limits: dict[str, dict[int, Held]] = {}
        for rule in policy.chain:
            outcomes = held(rule, self.destinations, networks is not None)
            self.refused[rule.name] = [i for i, limit in enumerate(outcomes) if limit is None]
            limits[rule.name] = {
                i: _widened(limit, Expected.of(expected, self.destinations[i].name))
                for i, limit in enumerate(outcomes)
                if limit
            }
        counters = policy.outcome_counters
        refunds = None if counters is None else counters.refunds
        self.ledger = Ledger(self.destinations, limits, refunds, networks, numbers)

    def total(self, assumed: Assumptions, without: Set[str] = NONE) -> Bound:
        """The bound of everything."""
        claims = self._claims(assumed, without)
        bound = together(self.prices, alone(self.prices, claims), claims)
        if self.hold_out is None or RULE in without:
            return bound
        claims = [claim for claim in claims if claim.rules <= self.binding]
        most = together(self.prices, alone(self.prices, claims), claims)
        return self._with_hold_out(bound, most, assumed)

    def _with_hold_out(self, bound: Bound, most: Bound, assumed: Assumptions) -> Bound:
        """A bound and what a hold-out adds to it, up to ``most``: the bound by the rules that hold
        for it too."""
        day = 0.0 if self.hold_out is None else self.hold_out.day
        usd = min(bound.usd + day + self.ledger.given_back(assumed), most.usd)
        return Bound(usd, bound.rules | {RULE}) if usd > bound.usd else bound

    def totals(
        self, without: Set[str] = NONE, parts: int = 1, verifies: bool = True, heard: bool = True
    ) -> Totals:
        """The bounds of everything for an hour and a day, in USD."""
        assumed = [Assumptions(time, parts, verifies, heard) for time in (HOUR, DAY)]
        return Totals(*(self.total(each, without).usd for each in assumed))

    def countries(self) -> tuple[CountryExposure, ...]:
        """Each destination by itself, the dearest day first."""
        hours, days = (self._alone(Assumptions(time)) for time in (HOUR, DAY))
        found = [
            CountryExposure(there.name, there.price, hour, day)
            for there, hour, day in zip(self.destinations, hours, days, strict=True)
        ]
        return tuple(sorted(found, key=lambda c: (-c.day.usd, -c.hour.usd, -c.price, c.country)))

    def _alone(self, assumed: Assumptions) -> list[Bound]:
        claims = self._claims(assumed)
        bounds = alone(self.prices, claims)
        if self.hold_out is None:
            return bounds
        most = alone(self.prices, [claim for claim in claims if claim.rules <= self.binding])
        return [self._with_hold_out(*both, assumed) for both in zip(bounds, most, strict=True)]

    def parts(self) -> list[str]:
        """The rules that have a part in the bounds."""
        beside = [] if self.hold_out is None else [RULE]
        found = [rule for rule in self.refused if self.refused[rule] or self.ledger.held[rule]]
        return found + beside

    def _claims(self, assumed: Assumptions, without: Set[str] = NONE) -> list[Claim]:
        outright = [
            Claim(frozenset({rule}), frozenset([i]), messages=0)
            for rule, places in self.refused.items()
            if rule not in without
            for i in places
        ]
        return [*outright, *self.ledger.claims(assumed, without)]


def _destinations(policy: Policy, countries: Iterable[str] | None) -> list[Destination]:
    numbers = shortest_numbers()
    names = list(numbers) if countries is None else list(dict.fromkeys(countries))
    for name in names:
        if name not in numbers:
            raise PolicyError("countries", "ISO regions such as 'GB'", name)
    table = policy.price_table
    if callable(policy.parts):  # the bound is of the dearest messages that it may name
        table = table.times(MOST_PARTS)
    return [
        Destination(name, micros(table.price(numbers[name].region)) / 1e6, numbers[name])
        for name in names
    ]


def _widened(limits: Held, expected: Expected | None) -> Held:
    """The limits while more than usual is expected. A window may be kept in another layout then: it
    is counted anew, and lets through both."""
    if expected is None:
        return limits
    found = {key: (usual, expected.wider(usual)) for key, usual in limits.items()}
    return {
        key: replace(wider, limit=wider.limit + usual.limit)
        if isinstance(wider, Window) and wider != usual
        else wider
        for key, (usual, wider) in found.items()
    }


def _away(policy: Policy, case: _Case) -> Totals:
    match policy.on_store_failure:
        case "closed":
            return Totals(0.0, 0.0)
        case "open":
            return Totals(inf, inf)
    return case.totals(parts=policy.workers)
