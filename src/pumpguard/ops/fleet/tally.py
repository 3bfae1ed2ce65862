"""What one process has seen since its last word, as counts for the buckets of the fleet.

The fields of a bucket, their parts apart by tabs; ``n`` counts requests, ``u`` what their messages
cost, or would have cost, in micro-dollars:

- ``c country action n|u``: all decisions, by the phone's country (or calling code);
- ``o country n``: the same by the address's country;
- ``b country block rule n|u``: refused requests for a block of 1,000 numbers, by the rule that
  decided; without a rule, what was let through to a block that had refusals within the hour, and
  with ``-`` to one that had none here (yet);
- ``w network country n|u``: refused requests from a network, masked to its /24 or /48;
- ``r rule what``: ``refused`` (it decided), ``alone`` (no other rule would have refused), ``found``
  (it would have refused), ``monitored`` (only recorded), ``u``, and of the numbers that are looked
  out for ``sampled`` and ``verified``;
- ``d country carrier what``: messages by what providers have reported of them (``delivered`` …),
  and ``ms`` from their sending to their delivery;
- ``k what``: ``verified``, ``failed``, ``unallocated``; ``degraded`` decisions; ``dropped``
  batches.

An attacker chooses none of these: countries, carriers and rules are few, and of blocks and networks
only those with the most dollars are told each second, the others together as ``other``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import nsmallest

from pumpguard.attempt import Phone, micros
from pumpguard.decision import Action, Decision, Mode, met
from pumpguard.listeners import Reported
from pumpguard.masking import masked_network

MOST_PLACES = 50
"""Blocks, and networks, that a process tells at once."""

MOST_REFUSED = 100
"""Refused numbers that a process tells at once, to look out for their verification."""

MOST_KNOWN = 2_000
"""Blocks, networks, numbers and prices that a process tells apart between two words."""

HOT = 3_600.0
"""Seconds for which a block counts as one that had refusals."""

QUIET = "-"
"""In the place of a rule: let through, to a block without refusals. There are many, and attacks
must not go under among them."""

OTHER = "other"

Place = tuple[str, ...]
"""A country, a block and a rule; or a network and its country."""

Found = tuple[str, Mode, Action]
"""Of a finding: rule, mode, action."""

Kind = tuple[
    str | None, int, str | None, float | None, Action, bool, bool, str | None, tuple[Found, ...]
]
"""What is equal for decisions that are counted alike: the phone's country and calling code, the
address's country, the price in USD, the action, whether proof was given, whether it was made
without the store, the rule that decided, and all findings."""


class Tally:
    """Adds up decisions, as cheaply as can be: names are made when `take` hands the counts out and
    begins anew."""

    def __init__(self) -> None:
        self.decided = 0
        """How many decisions, ever."""
        self._hot: dict[str, float] = {}
        self._counts: Counter[str] = Counter()
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._kinds: dict[Kind, int] = {}
        self._blocks: dict[tuple[Place, float | None], int] = {}
        self._quiet: dict[tuple[Place, float | None], int] = {}
        self._networks: dict[tuple[Place, float | None], int] = {}
        self._refused: dict[Phone, tuple[Found, ...]] = {}
        self._verified: dict[Phone, None] = {}

    @property
    def busy(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._kinds or self._counts)

    def add(self, decision: Decision, at: float) -> None:
        """Count a decision."""
        self.decided += 1
        attempt, action = decision.attempt, decision.action
        phone, client, price = attempt.phone, attempt.client, attempt.price
        found: tuple[Found, ...] = ()
        rule = None
        if decision.findings:
            found = tuple([(f.rule, f.mode, f.action) for f in decision.findings])
        block = phone.block
        if action:
            rule = _decided(decision)
            place = phone.country, block, rule
            _count(self._blocks, (place, price))
            _count(self._networks, ((client.network or "unknown", client.country or "?"), price))
            if at - self._hot.get(block, -HOT) > HOT / 60:
                self._heat(block, at)
            if len(self._refused) < MOST_REFUSED:
                self._refused[phone] = found
        elif self._hot and at - self._hot.get(block, -HOT) < HOT:
            _count(self._blocks, ((phone.country, block, ""), price))
        else:
            _count(self._quiet, ((phone.country, block, QUIET), price))
        kind = (
            phone.region, phone.calling_code, client.country, price, action, attempt.proved,
            decision.degraded, rule, found,
        )  # fmt: skip
        kinds = self._kinds
        kinds[kind] = kinds.get(kind, 0) + 1
        if len(kinds) > MOST_KNOWN:
            self._fold()

    def outcome(self, phone: Phone, what: str) -> None:
        """Count what became of a message to a number."""
        self._counts[f"k\t{what}"] += 1
        if what == "verified" and len(self._verified) < MOST_KNOWN:
            self._verified[phone] = None

    def reported(self, reported: Reported) -> None:
        """Count what a provider has said of a message."""
        where = f"d\t{reported.phone.country}\t{reported.carrier}"
        self._counts[f"{where}\t{reported.word}"] += 1
        if reported.seconds is not None:
            self._counts[f"{where}\tms"] += round(reported.seconds * 1_000)

    def take(self) -> tuple[dict[str, int], dict[Phone, str], Sequence[Phone]]:
        """The counts; the refused numbers, each with its rules; and those that were verified."""
        self._fold()
        networks: dict[tuple[Place, float | None], int] = {}
        for ((network, country), price), n in self._networks.items():
            masked = network if network in (OTHER, "unknown") else masked_network(network)
            _count(networks, ((masked, country), price), n)
        for name, places in (("b", self._blocks), ("b", self._quiet), ("w", networks)):
            for place, (n, u) in largest(places).items():
                self._counts["\t".join((name, *place, "n"))] += n
                self._counts["\t".join((name, *place, "u"))] += u
        refused = {
            phone: "\t".join(sorted({rule for rule, mode, _ in found if mode == "enforce"}))
            for phone, found in self._refused.items()
        }
        taken, verified = {name: n for name, n in self._counts.items() if n}, tuple(self._verified)
        self._counts = Counter()
        self._begin_anew()
        return taken, refused, verified

    def _heat(self, block: str, at: float) -> None:
        self._hot.pop(block, None)  # so that the first is the one that has been quiet longest
        if len(self._hot) >= MOST_KNOWN:
            del self._hot[next(iter(self._hot))]
        self._hot[block] = at

    def _fold(self) -> None:
        """Make names of the kinds."""
        counts = self._counts
        for kind, n in self._kinds.items():
            region, code, client, usd, action, proved, degraded, decided, found = kind
            price = n * micros(usd or 0.0)
            name = f"c\t{region or f'+{code}'}\t{action}"
            counts[f"{name}\tn"] += n
            counts[f"{name}\tu"] += price
            counts[f"o\t{client or '?'}\tn"] += n
            if degraded:
                counts["k\tdegraded"] += n
            refusing = {
                rule for rule, mode, asks in found if mode == "enforce" and not met(asks, proved)
            }
            for rule in refusing:
                counts[f"r\t{rule}\tfound"] += n
            for rule, mode, _ in found:
                if mode == "monitor":
                    counts[f"r\t{rule}\tmonitored"] += n
            if decided is not None:
                counts[f"r\t{decided}\trefused"] += n
                counts[f"r\t{decided}\tu"] += price
                if len(refusing) == 1:
                    counts[f"r\t{decided}\talone"] += n
        self._kinds = {}


def _count(
    places: dict[tuple[Place, float | None], int], place: tuple[Place, float | None], n: int = 1
) -> None:
    """Count at a place, or beside all others where there are many."""
    known = places.get(place)
    if known is None and len(places) >= MOST_KNOWN:
        named, price = place
        place = ((OTHER, "") if len(named) == 2 else (named[0], OTHER, named[2])), price
        known = places.get(place)
    places[place] = (known or 0) + n


def largest(places: Mapping[tuple[Place, float | None], int]) -> dict[Place, tuple[int, int]]:
    """Requests and micro-dollars of the places with the most dollars; the rest together, of their
    country."""
    sums: dict[Place, tuple[int, int]] = {}
    for (place, usd), n in places.items():
        before = sums.get(place, (0, 0))
        sums[place] = before[0] + n, before[1] + n * micros(usd or 0.0)
    if len(sums) <= MOST_PLACES:
        return sums
    kept = nsmallest(MOST_PLACES, sums, key=lambda place: (-sums[place][1], place))
    found = {place: sums[place] for place in kept}
    for place in sums.keys() - kept:
        other = (OTHER, "") if len(place) == 2 else (place[0], OTHER, place[2])
        before = found.get(other, (0, 0))
        found[other] = before[0] + sums[place][0], before[1] + sums[place][1]
    return found


def _decided(decision: Decision) -> str:
    """The rule that decided: mostly the first finding's."""
    first = decision.findings[0] if decision.findings else None
    if first is None or first.mode != "enforce" or first.action is not decision.action:
        first = decision.finding
    return "store" if first is None else first.rule


def country_of(phone: Phone) -> str:
    """A number's country, or its calling code where it belongs to none."""
    return phone.country
