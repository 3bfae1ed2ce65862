"""The summary of evidence, for whoever decides about a refund; and how numbers are told in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pumpguard.masking import masked_network
from pumpguard.money.prices import PriceTable
from pumpguard.overrides.lists import Hash
from pumpguard.replay.episodes import Episode
from pumpguard.replay.figures import moment

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

    def group(self, name: str) -> str:
        """By what an attack was recognised."""
        kind, _, value = name.partition(" ")
        return f"address {self.address(value)}" if kind == "address" else name


@dataclass
class Share:
    """Of 1,000 numbers, an attack or all: messages of attacks, their USD, and what was refused."""

    messages: int = 0
    usd: float = 0.0
    refused: int = 0


@dataclass
class Totals(Share):
    """What the files come to, and each of the ``episodes`` in them."""

    refused_usd: float = 0.0
    rules: Counter[str] = field(default_factory=Counter)
    ranges: dict[str, Share] = field(default_factory=lambda: defaultdict(Share))
    episodes: list[Share] = field(default_factory=list)


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
        f"| {number} | {moment(each.start)} | {moment(each.end)} | {told.messages:,} | "
        f"{told.usd:,.2f} | {', '.join(name for name, _ in each.countries.most_common(6))} | "
        f"{', '.join(telling.group(name) for name in each.recognised_by[:3])} |"
        for number, (each, told) in enumerate(zip(episodes, found.episodes, strict=True), 1)
    ]
    lines += ["", "## Ranges of 1,000 numbers with the most", "",
              "| range | messages | USD | refused |", "| --- | --- | --- | --- |"]  # fmt: skip
    lines += [
        f"| {name} | {each.messages:,} | {each.usd:,.2f} | {each.refused:,} |"
        for name, each in worst(found.ranges)[:MOST]
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


def worst(ranges: Mapping[str, Share]) -> list[tuple[str, Share]]:
    """Those that cost most first."""
    return sorted(ranges.items(), key=lambda each: (-each[1].usd, -each[1].refused, each[0]))
