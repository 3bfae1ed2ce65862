"""What one process has seen since its last word, as counts for the buckets of the fleet.

The fields of a bucket, their parts apart by tabs; ``n`` counts requests, ``u`` what their messages
cost, or would have cost, in micro-dollars:

- ``c country action n|u``: all decisions, by the phone's country (or calling code);
- ``o country n``: the same by the address's country;
- ``b country block rule n|u``: refused requests for a block of 1,000 numbers, by the rule that
  decided; without a rule, what was let through to a block that had refusals within the hour;
- ``w network country n|u``: refused requests from a network, masked to its /24 or /48;
- ``r rule what``: ``refused`` (it decided), ``alone`` (no other rule would have refused), ``found``
  (it would have refused), ``monitored`` (only recorded), ``u``, and of the numbers that are looked
  out for ``sampled`` and ``verified``;
- ``k what``: ``verified``, ``failed``, ``unallocated``; ``degraded`` decisions; ``dropped``
  batches.

An attacker chooses none of these: countries and rules are few, and of blocks and networks only
those with the most dollars are told each second, the others together as ``other``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pumpguard.attempt import Attempt, Phone, micros
from pumpguard.decision import Action, Decision
from pumpguard.engine.combine import refuses

BLOCK = 3
"""Digits that are cut off for a block: 1,000 numbers are nobody's personal data."""

MOST_PLACES = 50
"""Blocks, and networks, that a process tells at once."""

MOST_REFUSED = 100
"""Refused numbers that a process tells at once, to look out for their verification."""

MOST_KNOWN = 2_000
"""Blocks, networks, numbers and prices that a process tells apart between two words."""

HOT = 3_600.0
"""Seconds for which what is let through to a block is counted after a refusal."""

OTHER = "other"

Place = tuple[str, ...]
"""A country, a block and a rule; or a masked network and its country."""


@dataclass(slots=True)
class Sums:
    """Requests and micro-dollars by place."""

    requests: Counter[Place] = field(default_factory=Counter)
    dollars: Counter[Place] = field(default_factory=Counter)

    def add(self, place: Place, price: int) -> None:
        if len(self.requests) >= MOST_KNOWN and place not in self.requests:
            place = (*place[:-2], OTHER, place[-1]) if len(place) > 2 else (OTHER, "")
        self.requests[place] += 1
        self.dollars[place] += price

    def largest(self, *, whole: bool) -> tuple[Counter[Place], Counter[Place]]:
        """Those with the most dollars, and the rest together: of all, or of their country."""
        kept = self.requests
        if len(kept) > MOST_PLACES:
            ranked = sorted(kept, key=lambda place: (-self.dollars[place], place))
            kept = Counter(ranked[:MOST_PLACES])
        requests, dollars = Counter[Place](), Counter[Place]()
        for place, n in self.requests.items():
            if place not in kept:
                other = (OTHER, "") if whole else (place[0], OTHER, place[2])
                requests[other] += n
                dollars[other] += self.dollars[place]
            else:
                requests[place] += n
                dollars[place] += self.dollars[place]
        return requests, dollars


class Tally:
    """Adds up decisions. `take` hands the counts out and begins anew."""

    def __init__(self) -> None:
        self.decided = 0
        """How many decisions, ever."""
        self._plain: dict[tuple[str | None, int, str | None, float | None], int] = {}
        self._counts: Counter[str] = Counter()
        self._blocks, self._networks = Sums(), Sums()
        self._refused: dict[Phone, str] = {}
        self._verified: dict[Phone, None] = {}
        self._hot: dict[str, float] = {}

    @property
    def busy(self) -> bool:
        """Whether there is anything to tell."""
        return bool(self._plain or self._counts)

    def add(self, decision: Decision, at: float) -> None:
        """Count a decision; the way of one that was let through without any finding is short."""
        self.decided += 1
        if decision.action or decision.findings or decision.degraded:
            self._add_with_findings(decision, at)
            return
        attempt = decision.attempt
        phone = attempt.phone
        if self._hot:
            self._let_through(attempt, at)
        key = phone.region, phone.calling_code, attempt.client.country, attempt.price
        self._plain[key] = self._plain.get(key, 0) + 1
        if len(self._plain) > MOST_KNOWN:
            self._fold()

    def outcome(self, phone: Phone, what: str) -> None:
        """Count what became of a message to a number."""
        self._counts[f"k\t{what}"] += 1
        if what == "verified" and len(self._verified) < MOST_KNOWN:
            self._verified[phone] = None

    def take(self) -> tuple[dict[str, int], dict[Phone, str], Sequence[Phone]]:
        """The counts; the refused numbers, each with its rules; and those that were verified."""
        self._fold()
        for kind, sums in (("b", self._blocks), ("w", self._networks)):
            requests, dollars = sums.largest(whole=kind == "w")
            for place, n in requests.items():
                name = "\t".join((kind, *place))
                self._counts[f"{name}\tn"] += n
                self._counts[f"{name}\tu"] += dollars[place]
        taken = {name: n for name, n in self._counts.items() if n}
        refused, verified = self._refused, tuple(self._verified)
        self._counts, self._blocks, self._networks = Counter(), Sums(), Sums()
        self._refused, self._verified = {}, {}
        return taken, refused, verified

    def _fold(self) -> None:
        for (region, code, client, price), n in self._plain.items():
            self._by_country(region or f"+{code}", client, Action.ALLOW, n, micros(price or 0.0))
        self._plain = {}

    def _by_country(
        self, country: str, client: str | None, action: Action, n: int, price: int
    ) -> None:
        counts, name = self._counts, f"c\t{country}\t{action}"
        counts[f"{name}\tn"] += n
        counts[f"{name}\tu"] += n * price
        counts[f"o\t{client or '?'}\tn"] += n

    def _add_with_findings(self, decision: Decision, at: float) -> None:
        attempt, phone = decision.attempt, decision.attempt.phone
        price, country = micros(attempt.price or 0.0), country_of(phone)
        self._by_country(country, attempt.client.country, decision.action, 1, price)
        self._counts["k\tdegraded"] += decision.degraded
        self._by_rule(decision, attempt, price)
        finding = decision.finding
        if finding is None:
            self._let_through(attempt, at)
            return
        block = block_of(phone)
        self._blocks.add((country, block, finding.rule), price)
        self._networks.add((attempt.client.masked, attempt.client.country or "?"), price)
        self._hot.pop(block, None)  # so that the first is the one that has been quiet longest
        if len(self._hot) >= MOST_KNOWN:
            del self._hot[next(iter(self._hot))]
        self._hot[block] = at

    def _let_through(self, attempt: Attempt, at: float) -> None:
        """Also by its block, if that had a refusal within the hour."""
        phone = attempt.phone
        block = block_of(phone)
        if block in self._hot:
            if at - self._hot[block] < HOT:
                price = micros(attempt.price or 0.0)
                self._blocks.add((country_of(phone), block, ""), price)
            else:
                del self._hot[block]

    def _by_rule(self, decision: Decision, attempt: Attempt, price: int) -> None:
        counts, refusing = self._counts, set[str]()
        for finding in decision.findings:
            if refuses(finding, attempt):
                refusing.add(finding.rule)
            elif finding.mode == "monitor":
                counts[f"r\t{finding.rule}\tmonitored"] += 1
        for rule in refusing:
            counts[f"r\t{rule}\tfound"] += 1
        if (decided := decision.finding) is None:
            return
        counts[f"r\t{decided.rule}\trefused"] += 1
        counts[f"r\t{decided.rule}\tu"] += price
        counts[f"r\t{decided.rule}\talone"] += len(refusing) == 1
        if len(self._refused) < MOST_REFUSED:
            self._refused[attempt.phone] = "\t".join(sorted(refusing))


def country_of(phone: Phone) -> str:
    """A number's country, or its calling code where it belongs to none."""
    return phone.region or f"+{phone.calling_code}"


def block_of(phone: Phone) -> str:
    """The block of 1,000 numbers around a number; of a very short one its calling code."""
    return phone.prefix(BLOCK) or f"+{phone.calling_code}"
