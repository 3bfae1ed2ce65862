"""What a provider asks for when fees are to be refunded.

Which messages were an attack's, when and to which ranges they went, which addresses asked for them,
and what the guard refused at the same time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pumpguard.money.prices import PriceTable
from pumpguard.replay.episodes import Episode, country_of
from pumpguard.replay.journal import Journal, Played
from pumpguard.replay.read import Row
from pumpguard.replay.sealed import SealedZip
from pumpguard.replay.summary import BLOCK, Share, Telling, Totals, summary, worst


class Refusal(NamedTuple):
    """A message that the guard refused; ``price`` is what it would have cost, USD."""

    at: float
    number: str
    country: str
    block: str
    address: str
    action: str
    rule: str
    reason: str
    reference: str
    price: float


def refusal(row: Row, telling: Telling) -> Refusal | None:
    """That of an event, if it is one. Raises `ValueError` and `KeyError` for what is no event."""
    if row["event_dataset"] != "pumpguard.decision" or row["event_action"] == "allow":
        return None
    at = datetime.fromisoformat(row["@timestamp"]).timestamp()
    e164, masked = row.get("pumpguard_number_e164"), row["pumpguard_number_masked"]
    if telling.numbers == "hashed":
        number = f"#{row['pumpguard_number_hash']}"
    else:
        number = masked if e164 is None else telling.number(e164)
    return Refusal(
        at,
        number,
        row["pumpguard_number_country"],
        row["pumpguard_number_block"],
        _address(row.get("source_ip"), telling),
        row["event_action"],
        row.get("rule_name", ""),
        row.get("event_reason", ""),
        row.get("event_reference", ""),
        float(row.get("pumpguard_price", 0)),
    )


def _address(told: str | None, telling: Telling) -> str:
    """An event has it as ``Events(addresses=…)`` says: hashed in the form of a local address of
    IPv6, masked as the first of its network, or whole. Nothing makes it whole again."""
    if told is None or told.startswith("fd"):
        return told or ""
    if telling.addresses == "hashed" and told.endswith((".0", "::")):
        return told
    return telling.address(told)


def write(
    zipped: SealedZip,
    sources: Mapping[str, str],
    span: tuple[float, float],
    journal: Journal | None,
    episodes: Sequence[Episode],
    refusals: Iterable[Refusal],
    telling: Telling,
    prices: PriceTable,
) -> Totals:
    """All files, and what they come to. ``sources`` are the SHA-256 of the logs by their names."""
    found = Totals(episodes=[Share() for _ in episodes])
    zipped.rows(
        "messages.csv",
        ("time", "number", "country", "range", "address", "usd", "episode"),
        _messages(journal or (), span, episodes, telling, prices, found),
    )
    zipped.rows("refused.csv", ("time", *Refusal._fields[1:]), _refused(refusals, found))
    zipped.rows(
        "episodes.csv",
        ("episode", "from", "to", "messages", "usd", "countries", "recognised by"),
        (
            (
                number, iso(each.start), iso(each.end), told.messages, round(told.usd, 4),
                " ".join(each.countries),
                "; ".join(telling.group(name) for name in each.recognised_by),
            )
            for number, (each, told) in enumerate(zip(episodes, found.episodes, strict=True), 1)
        ),
    )  # fmt: skip
    zipped.rows(
        "ranges.csv",
        ("range", "messages", "usd", "refused"),
        (
            (name, each.messages, round(each.usd, 4), each.refused)
            for name, each in worst(found.ranges)
        ),
    )
    zipped.text("summary.md", summary(found, sources, span, episodes, telling, prices))
    return found


def _messages(
    journal: Iterable[Played],
    span: tuple[float, float],
    episodes: Sequence[Episode],
    telling: Telling,
    prices: PriceTable,
    found: Totals,
) -> Iterator[Sequence[object]]:
    for entry in journal:
        if entry.is_verification or not entry.sent or not span[0] <= entry.at < span[1]:
            continue
        number = next((i for i, episode in enumerate(episodes) if episode.has(entry)), None)
        if number is None:
            continue
        usd = prices.price(entry.whose.region) if entry.price is None else entry.price
        name = entry.phone[:-BLOCK]
        for each in (found, found.episodes[number], found.ranges[name]):
            each.messages, each.usd = each.messages + 1, each.usd + usd
        told, address = telling.number(entry.phone), telling.address(entry.address)
        yield iso(entry.at), told, country_of(entry), name, address, usd, number + 1


def _refused(refusals: Iterable[Refusal], found: Totals) -> Iterator[Sequence[object]]:
    for each in refusals:
        found.refused += 1
        found.refused_usd += each.price
        found.rules[each.rule or each.reason] += 1
        found.ranges[each.block].refused += 1
        yield iso(each.at), *each[1:]


def iso(at: float) -> str:
    """Unix seconds as ISO 8601, to the second."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
