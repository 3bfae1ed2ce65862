"""A first policy from a log, or from five answers: each setting with the reason for it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, floor, log10

from pumpguard.money.prices import PriceTable
from pumpguard.replay.episodes import Episode
from pumpguard.replay.journal import Journal

HOME_SHARE = 0.05
"""The least share of all codes that were entered, for a country to be a home. No source: below it,
the limits for strangers are wide enough for its people, and an attack there stays small."""

MAIN_SHARE = 0.9
"""The share of codes from which on numbers without a calling code are taken for that country's. No
source."""

TIMES = 2
"""How many times the busiest day may be spent (README, docs/money.md)."""

DEAREST = 0.95
"""Of the prices that a country was billed at, the one to count with: few messages cost more."""

HOUR, DAY = 3_600, 86_400


@dataclass(frozen=True)
class Setting:
    """A line of the policy, and the sentences that say why."""

    name: str
    value: object
    why: str

    def lines(self) -> list[str]:
        """As TOML: several prices or the like are a table of their own."""
        why = [f"# {line}" for line in self.why.splitlines()]
        if isinstance(self.value, Mapping):
            rows = [f"{name} = {toml(each)}" for name, each in self.value.items()]
            return [*why, f"[{self.name}]", *rows]
        return [*why, f"{self.name} = {toml(self.value)}"]


@dataclass
class Past:
    """What a log says about a usual day.

    By country: ``codes`` that were entered, ``hours`` in which messages were sent, ``prices`` as
    billed. ``usd`` is what each day cost without the attacks in it (``attacks``, USD).
    """

    codes: Counter[str] = field(default_factory=Counter)
    hours: Counter[str] = field(default_factory=Counter)
    usd: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    attacks: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    prices: dict[str, Counter[float]] = field(default_factory=lambda: defaultdict(Counter))


def past(journal: Journal, episodes: Sequence[Episode], prices: PriceTable) -> Past:
    """Read a journal once. Of an episode over several days each has its share of the time."""
    found, hours = Past(), set[tuple[str, float]]()
    for entry in journal:
        if entry.is_verification:
            continue
        country = entry.whose.region or ""
        hours.add((country, entry.at // HOUR))
        found.codes[country] += entry.verified
        if entry.price is not None:
            found.prices[country][entry.price] += 1
        if entry.sent:
            price = prices.price(country) if entry.price is None else entry.price
            found.usd[_day(entry.at)] += price
    found.hours.update(country for country, _ in hours)
    for each in episodes:
        long = max(each.end - each.start, 1.0)
        at = each.start
        while at <= each.end:
            until = min(floor(at / DAY) * DAY + DAY, max(each.end, each.start + 1.0))
            found.attacks[_day(at)] += each.usd * (until - at) / long
            at = floor(at / DAY) * DAY + DAY
    for day, usd in found.attacks.items():
        if day in found.usd:
            found.usd[day] = max(0.0, found.usd[day] - usd)
    return found


def from_past(found: Past, source: str, region: str | None, prices: str) -> list[Setting]:
    """The settings that a log gives. ``source`` names the files, ``prices`` the price list."""
    of, what = found.codes, "the codes that were entered"
    if not of.total():  # an attack has more messages than people have, but in fewer hours
        of, what = found.hours, "the hours with messages (no codes are known: CHECK THIS LINE)"
    shares = [(country, count / of.total()) for country, count in of.most_common() if country]
    home = [(country, share) for country, share in shares if share >= HOME_SHARE]
    told = ", ".join(f"{country} {share:.0%}" for country, share in home)
    left = sum(0 < share < HOME_SHARE for _, share in shares)
    others = f"{left} others have less each; add those" if left > 1 else "1 other has less; add it"
    settings = [
        Setting(
            "home",
            [country for country, _ in home],
            f"Countries with {HOME_SHARE:.0%} or more of {what}: {told or 'none'}."
            + (f"\n{others} where you expect users." if left else ""),
        ),
        _budget(found),
    ]
    if region is not None:
        settings.append(Setting("region", region, "Numbers without a calling code, as you said."))
    elif found.codes.total() and shares[0][1] >= MAIN_SHARE:
        why = f"Numbers without a calling code: {shares[0][1]:.0%} of {what} are from there."
        settings.append(Setting("region", shares[0][0], why))
    billed = {country: _dearest(each) for country, each in sorted(found.prices.items()) if country}
    if billed:
        count = sum(each.total() for each in found.prices.values())
        why = (
            f"USD as {source} was billed, {count:,} messages: what at most 5 % of a country's "
            f"messages\nwere dearer than. All other countries: {prices}."
        )
        settings.append(Setting("price_overrides", billed, why))
    return settings


def document(head: str, settings: Sequence[Setting]) -> str:
    """The whole file; tables stand at its end, as what follows one would be in it."""
    last = sorted(settings, key=lambda each: isinstance(each.value, Mapping))
    blocks = [[f"# {line}" for line in head.splitlines()], *(each.lines() for each in last)]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def toml(value: object) -> str:
    """A text, a number, or a list of such, as TOML."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def rounded_up(usd: float) -> float:
    """To two digits: $137.20 is 140, $0.031 is $1, the least."""
    if usd <= 1:
        return 1.0
    step = 10.0 ** (floor(log10(usd)) - 1)
    return round(ceil(usd / step - 1e-9) * step, 2)


def _budget(found: Past) -> Setting:
    day, usd = max(found.usd.items(), key=lambda each: each[1])
    attacked = sum(found.attacks.values())
    without = (
        f"\nThe attacks found in the log, ${attacked:,.2f}, are left out of it." if attacked else ""
    )
    if not found.codes.total():
        without = "\nNo codes are known, so attacks cannot be told from users: they are in it."
    days = len(found.usd)
    only = f"{days} day{'s' * (days > 1)}"
    few = f"\nThe log has only {only}: look again after your busiest one." if days < 7 else ""
    why = f"USD: {TIMES} times the busiest day, {day}, which cost ${usd:,.2f}.{without}{few}"
    return Setting("daily_budget", rounded_up(TIMES * usd), why)


def _dearest(prices: Counter[float]) -> float:
    """The least price that `DEAREST` of the messages did not exceed."""
    seen, total = 0, prices.total()
    for price in sorted(prices):
        seen += prices[price]
        if seen >= DEAREST * total:
            return price
    return max(prices)


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
