"""A provider's bill against what passed the guard: message by message, joined by number and time.

Events name a number by a keyed hash, so the bill's numbers are hashed with the same secret. Each
number's messages and admissions are paired in the order of their times.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from pumpguard.intake.phone import canonical
from pumpguard.money.prices import WARN_ABOVE, PriceTable
from pumpguard.overrides.lists import Hash
from pumpguard.replay.entry import Entry
from pumpguard.replay.problems import Problems
from pumpguard.replay.read import Row

EARLIER, LATER = 60.0, 3_600.0
"""Seconds that a bill's time may be before an admission (clocks differ) and after it (messages wait
in queues). No source."""

HASH = "pumpguard_number_hash"


class Billed(NamedTuple):
    """A message of the bill. ``usd`` is ``None`` where the bill has no price."""

    at: float
    phone: str
    country: str
    usd: float | None


class Admitted(NamedTuple):
    """A message that the guard let through; the number as far as the event tells it."""

    at: float
    masked: str
    country: str
    usd: float


@dataclass
class Books:
    """What the events say, by the number's hash: who passed, when others were refused, and how many
    messages were not sent in the end."""

    admitted: dict[str, list[Admitted]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    not_sent: Counter[str] = field(default_factory=Counter)
    first: float = float("inf")
    last: float = float("-inf")
    events: int = 0
    dropped: int = 0

    def add(self, rows: Iterable[tuple[int, Row]], problems: Problems) -> None:
        """The events of a file, each as its names joined by ``_``."""
        for line, row in rows:
            try:
                self._event(row)
            except (KeyError, ValueError):
                problems.add(line, "no event of pumpguard")

    def _event(self, row: Row) -> None:
        dataset, at = row["event_dataset"], _time(row["@timestamp"])
        if dataset == "pumpguard.decision":
            asked = float(row.get("pumpguard_attempt_at", at))
            number = row[HASH]
            if row["event_action"] == "allow":
                told = Admitted(
                    asked,
                    row["pumpguard_number_masked"],
                    row["pumpguard_number_country"],
                    float(row.get("pumpguard_price", 0)),
                )
                self.admitted[number].append(told)
            else:
                self.refused[number].append(asked)
        elif dataset == "pumpguard.outcome":
            if row["event_action"] == "failed":
                self.not_sent[row[HASH]] += 1
        elif dataset == "pumpguard.dropped":
            self.dropped += int(row["pumpguard_dropped"])
        self.events += 1
        self.first, self.last = min(self.first, at), max(self.last, at)


@dataclass
class Reconciled:
    """``unguarded`` was billed and never passed the guard (``in_spite`` of them the guard had
    refused), ``unbilled`` passed and is on no bill; ``outside`` are messages of the bill from
    before or after the events. ``prices`` has by country how many messages were billed, their USD
    and what the table says."""

    matched: int = 0
    outside: int = 0
    in_spite: int = 0
    unguarded: list[Billed] = field(default_factory=list)
    unbilled: list[Admitted] = field(default_factory=list)
    prices: dict[str, tuple[int, float, float]] = field(default_factory=dict)

    @property
    def drifted(self) -> dict[str, float]:
        """Countries that are billed dearer than the table says, by ratio, the worst first."""
        ratios = {place: usd / table for place, (_, usd, table) in self.prices.items()}
        return {
            place: ratio
            for place, ratio in sorted(ratios.items(), key=lambda each: -each[1])
            if ratio > WARN_ABOVE
        }

    def usd(self, prices: PriceTable) -> tuple[float, float]:
        """What the unguarded and the unbilled cost, at the table's prices where none is known."""
        unguarded = sum(
            prices.price(each.country) if each.usd is None else each.usd for each in self.unguarded
        )
        return unguarded, sum(each.usd for each in self.unbilled)


def billed(entries: Iterable[Entry]) -> Iterator[Billed]:
    """Those of a bill that were sent."""
    for each in entries:
        if not each.is_verification and each.sent:
            phone = canonical(each.phone)
            country = phone.region or f"+{phone.calling_code}"
            yield Billed(each.at, each.phone, country, each.price)


def reconcile(bill: Sequence[Billed], books: Books, hashed: Hash, prices: PriceTable) -> Reconciled:
    """Pair them. A pair's times are at most a minute and an hour apart."""
    found, by_number = Reconciled(), defaultdict[str, list[Billed]](list)
    for each in bill:
        if books.first - EARLIER <= each.at <= books.last + LATER:
            by_number[hashed("number", each.phone)].append(each)
        else:
            found.outside += 1
    first = min((each.at for each in bill), default=0.0)
    last = max((each.at for each in bill), default=0.0)
    for number in by_number.keys() | books.admitted.keys():
        sent = sorted(by_number.get(number, ()))
        passed = sorted(books.admitted.get(number, ()))
        matched, unguarded, unbilled = paired(sent, passed)
        found.matched += matched
        found.unguarded += unguarded
        refused = books.refused.get(number, ())
        found.in_spite += sum(
            any(at - EARLIER <= each.at <= at + LATER for at in refused) for each in unguarded
        )
        failed = books.not_sent[number]
        expected = [each for each in unbilled if first - LATER <= each.at <= last + EARLIER]
        found.unbilled += expected[: max(0, len(expected) - failed)]
    found.unguarded.sort()
    found.unbilled.sort()
    found.prices = _prices(bill, prices)
    return found


def paired(
    sent: Sequence[Billed], passed: Sequence[Admitted]
) -> tuple[int, list[Billed], list[Admitted]]:
    """The earliest with the earliest, which pairs as many as any way does."""
    unguarded, unbilled, matched, i, j = list[Billed](), list[Admitted](), 0, 0, 0
    while i < len(sent) and j < len(passed):
        if sent[i].at < passed[j].at - EARLIER:
            unguarded.append(sent[i])
            i += 1
        elif sent[i].at > passed[j].at + LATER:
            unbilled.append(passed[j])
            j += 1
        else:
            matched, i, j = matched + 1, i + 1, j + 1
    return matched, [*unguarded, *sent[i:]], [*unbilled, *passed[j:]]


def _prices(bill: Sequence[Billed], prices: PriceTable) -> dict[str, tuple[int, float, float]]:
    usd: dict[str, list[float]] = defaultdict(list)
    for each in bill:
        if each.usd is not None:
            usd[each.country].append(each.usd)
    return {
        place: (len(each), sum(each), prices.price(place) * len(each))
        for place, each in usd.items()
    }


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def to_json(found: Reconciled, prices: PriceTable, examples: int) -> dict[str, Any]:
    """For programs; numbers are masked."""
    unguarded, unbilled = found.usd(prices)
    return {
        "matched": found.matched,
        "outside": found.outside,
        "unguarded": {
            "messages": len(found.unguarded),
            "refused_by_the_guard": found.in_spite,
            "usd": round(unguarded, 4),
            "by_country": dict(Counter(each.country for each in found.unguarded).most_common()),
            "examples": [
                {"at": each.at, "number": canonical(each.phone).masked, "usd": each.usd}
                for each in found.unguarded[:examples]
            ],
        },
        "unbilled": {
            "messages": len(found.unbilled),
            "usd": round(unbilled, 4),
            "by_country": dict(Counter(each.country for each in found.unbilled).most_common()),
            "examples": [
                {"at": each.at, "number": each.masked, "usd": each.usd}
                for each in found.unbilled[:examples]
            ],
        },
        "prices": {
            place: {"messages": count, "usd": round(usd, 4), "table": round(table, 4)}
            for place, (count, usd, table) in sorted(found.prices.items())
        },
        "drifted": found.drifted,
    }
