"""What a provider asks for when fees are to be refunded.

Which messages were an attack's, when and to which ranges they went, which addresses asked for them,
and what the guard refused at the same time.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from pumpguard.attempt import masked_network
from pumpguard.intake.phone import canonical
from pumpguard.money.prices import PriceTable
from pumpguard.overrides.lists import Hash
from pumpguard.replay.episodes import Episode
from pumpguard.replay.journal import Journal, Played
from pumpguard.replay.read import Row
from pumpguard.replay.report import moment
from pumpguard.replay.sealed import SealedZip

Shown = Literal["whole", "masked", "hashed"]
"""How a number or an address is told."""

BLOCK = 3
"""Digits that are cut off for a range of 1,000 numbers."""

MOST = 20
"""Ranges in the summary; all of them are in their file."""


@dataclass(frozen=True)
class Telling:
    """How numbers and addresses are written, as the operator chose."""

    numbers: Shown
    addresses: Shown
    hashed: Hash

    def number(self, e164: str) -> str:
        match self.numbers:
            case "whole":
                return e164
            case "hashed":
                return f"#{self.hashed('number', e164)}"
        return f"{e164[:-BLOCK]}{'•' * BLOCK}"

    def address(self, address: str | None) -> str:
        if address is None or self.addresses == "whole":
            return address or ""
        if self.addresses == "hashed":
            return f"#{self.hashed('network', address)}"
        return masked_network(address)


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


@dataclass
class Range:
    """1,000 numbers: messages of attacks, their USD, and what was refused."""

    messages: int = 0
    usd: float = 0.0
    refused: int = 0


@dataclass
class Totals:
    """What the files come to."""

    messages: int = 0
    usd: float = 0.0
    refused: int = 0
    refused_usd: float = 0.0
    rules: Counter[str] = field(default_factory=Counter)
    ranges: dict[str, Range] = field(default_factory=lambda: defaultdict(Range))


def belongs(entry: Played, country: str, episode: Episode) -> bool:
    """Whether a message is an episode's: unanswered, in its time and in one of its groups."""
    if entry.verified or not episode.start <= entry.at <= episode.end:
        return False
    phone = entry.phone
    names = {f"country {country}", f"address {entry.address}"}
    names |= {f"block {phone[:-3]}", f"block {phone[:-4]}"}
    return not episode.groups or not names.isdisjoint(episode.groups)


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
    """An event has it as ``Events(addresses=…)`` says; nothing makes it whole again."""
    if told is None or told.endswith((".0", "::")) or told.startswith("fd"):
        return told or ""
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
    found = Totals()
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
                number, iso(each.start), iso(each.end), each.messages, round(each.usd, 4),
                " ".join(each.countries),
                "; ".join(_group(name, telling) for name in each.recognised_by),
            )
            for number, each in enumerate(episodes, 1)
        ),
    )  # fmt: skip
    zipped.rows(
        "ranges.csv",
        ("range", "messages", "usd", "refused"),
        (
            (name, each.messages, round(each.usd, 4), each.refused)
            for name, each in _worst(found.ranges)
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
        phone = canonical(entry.phone)
        country = phone.region or f"+{phone.calling_code}"
        number = next((i for i, e in enumerate(episodes, 1) if belongs(entry, country, e)), None)
        if number is None:
            continue
        usd = prices.price(phone.region) if entry.price is None else entry.price
        name = entry.phone[:-BLOCK]
        found.messages, found.usd = found.messages + 1, found.usd + usd
        there = found.ranges[name]
        there.messages, there.usd = there.messages + 1, there.usd + usd
        told, address = telling.number(entry.phone), telling.address(entry.address)
        yield iso(entry.at), told, country, name, address, usd, number


def _refused(refusals: Iterable[Refusal], found: Totals) -> Iterator[Sequence[object]]:
    for each in refusals:
        found.refused += 1
        found.refused_usd += each.price
        found.rules[each.rule or each.reason] += 1
        found.ranges[each.block].refused += 1
        yield iso(each.at), *each[1:]


def summary(
    found: Totals,
    sources: Mapping[str, str],
    span: tuple[float, float],
    episodes: Sequence[Episode],
    telling: Telling,
    prices: PriceTable,
) -> str:
    """For whoever decides about the refund."""
    lines = [
        "# SMS pumping: what was sent, and what was refused",
        "",
        f"From {moment(span[0])} to {moment(span[1])}. All times are UTC, all amounts USD: as "
        f"billed where the logs say so, else at the prices of {prices.name} of {prices.date}.",
        "",
        f"- **{found.messages:,} messages of attacks were sent, ${found.usd:,.2f}.** For none of "
        "them was a code entered.",
        f"- {found.refused:,} more were refused before they were sent, ${found.refused_usd:,.2f}.",
        "",
        "## Attacks",
        "",
        "| | from | to | messages | USD | countries | recognised by |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {number} | {moment(each.start)} | {moment(each.end)} | {each.messages:,} | "
        f"{each.usd:,.2f} | {', '.join(name for name, _ in each.countries.most_common(6))} | "
        f"{', '.join(_group(name, telling) for name in each.recognised_by[:3])} |"
        for number, each in enumerate(episodes, 1)
    ]
    lines += ["", "## Ranges of 1,000 numbers with the most", "",
              "| range | messages | USD | refused |", "| --- | --- | --- | --- |"]  # fmt: skip
    lines += [
        f"| {name} | {each.messages:,} | {each.usd:,.2f} | {each.refused:,} |"
        for name, each in _worst(found.ranges)[:MOST]
    ]
    if found.rules:
        lines += ["", "## Refused, by rule", "", "| rule | messages |", "| --- | --- |"]
    lines += [f"| {rule} | {count:,} |" for rule, count in found.rules.most_common()]
    lines += [
        "",
        "## How it was found",
        "",
        "An attack is a time in which far more messages of a range, a country or an address went "
        "unanswered than its users leave so. People ask for codes in the same countries at the "
        "same time: some of the unanswered messages may be theirs.",
        "",
        "## Files",
        "",
        "- `messages.csv`: each message of an attack. `refused.csv`: each that was refused, by "
        "which rule and why. `episodes.csv`, `ranges.csv`: their sums.",
        f"- Numbers are {telling.numbers}, addresses {telling.addresses}, or as the log has them "
        "if that is less.",
        "- `manifest.txt`: the SHA-256 of each file, each line chained to the one before.",
        "",
        "Made from:",
        "",
        *(f"- `{name}`, SHA-256 {digest}" for name, digest in sources.items()),
    ]
    return "\n".join(lines) + "\n"


def iso(at: float) -> str:
    """Unix seconds as ISO 8601, to the second."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _worst(ranges: Mapping[str, Range]) -> list[tuple[str, Range]]:
    return sorted(ranges.items(), key=lambda each: (-each[1].usd, -each[1].refused, each[0]))


def _group(name: str, telling: Telling) -> str:
    kind, _, value = name.partition(" ")
    return f"address {telling.address(value)}" if kind == "address" else name
