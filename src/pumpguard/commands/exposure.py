"""``pumpguard exposure policy.toml``: the most that an attacker can make this policy spend."""

from __future__ import annotations

import json
import time
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pumpguard.commands import BAD_INPUT, stop, with_overrides
from pumpguard.errors import PolicyError
from pumpguard.money.exposure import CountryExposure, Exposure, Totals
from pumpguard.money.exposure import exposure as exposure_of
from pumpguard.money.prices import OLD, PriceTable
from pumpguard.money.solve import Bound, dollars
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.policy import Policy

NOT_BOUNDED = 2
"""The exit code of a policy without a bound."""

ADVICE = """\
No enforced rule limits what may be spent by everything, by country or by calling code, whatever
the numbers and addresses. Challenges do not count: they are bought at a dollar a thousand.
Such a rule would be, for example:

    [rules.all_messages]
    rule = "rate_limit"
    by = "everything"
    limits = "500/hour; 3000/day"
"""


def exposure(
    policy: Annotated[Path, typer.Argument(help="The policy, a TOML file.")],
    networks: Annotated[
        int | None, typer.Option(min=0, help="How many addresses the attacker has.")
    ] = None,
    numbers: Annotated[
        int | None, typer.Option(min=0, help="How many numbers the attacker has.")
    ] = None,
    country: Annotated[
        list[str] | None, typer.Option(help="Show this country (ISO code); may be repeated.")
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="How many countries to show.")] = 10,
    store: Annotated[
        str | None, typer.Option(help="Look at the overrides in this store, too.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
) -> None:
    """The most that an attacker can make this policy spend, per hour and per day.

    Ends with 1 if the policy is bad, with 2 if nothing bounds what it spends, and with 3 if the
    store was to be asked and does not answer.
    """
    try:
        loaded = Policy.from_toml(policy)
        found = exposure_of(loaded, networks=networks, numbers=numbers)
        shown = _shown(found, country, top)
    except PolicyError as error:
        stop(f"{policy}: {error}", BAD_INPUT)
    lifted = OverrideDocument().unbounded_because(time.time(), loaded.mode)
    expected = dict[str, float]()
    if store is not None:
        lifted, expected = with_overrides(policy, store, _overrides)
    meanwhile = found
    if expected:
        meanwhile = exposure_of(loaded, networks=networks, numbers=numbers, expected=expected)
    if as_json:
        document = {**_as_json(found, loaded), "unbounded_because": lifted}
        document["expected"] = {
            "times": expected, "hour": _bound(meanwhile.hour), "day": _bound(meanwhile.day),
            "unverified": _totals(meanwhile.unverified),
        }  # fmt: skip
        typer.echo(json.dumps(document, indent=2))
    else:
        console = Console(highlight=False, soft_wrap=True)
        if lifted:
            console.print("NOT BOUNDED at the moment; otherwise as below.")
            console.print("\n".join(lifted), end="\n\n", markup=False)
        if expected:
            console.print(f"More than usual is expected. {while_expected(meanwhile)}", end="\n\n")
        _print(console, found, shown, loaded)
    if lifted or not found.bounded:
        raise typer.Exit(NOT_BOUNDED)


def while_expected(meanwhile: Exposure) -> str:
    """What an attacker can cost while more than usual is expected, a sentence."""
    cost, hour = total(meanwhile), dollars(meanwhile.unverified.hour)
    return f"Meanwhile an attacker can cost at most {cost}; {hour} per hour without any code."


def total(found: Exposure) -> str:
    """Both bounds, for people."""
    return f"{dollars(found.hour.usd)} per hour, {dollars(found.day.usd)} per day"


async def _overrides(admin: OverrideAdmin, policy: Policy) -> tuple[list[str], dict[str, float]]:
    """Why nothing bounds it at the moment, and what is expected."""
    document, now = await admin.show(), time.time()
    return document.unbounded_because(now, policy.mode), document.expected(now)


def _shown(found: Exposure, names: list[str] | None, top: int) -> list[CountryExposure]:
    if not names:
        return list(found.countries[:top])
    by_name = {country.country: country for country in found.countries}
    for name in names:
        if name.upper() not in by_name:
            raise PolicyError("country", "an ISO region such as 'GB'", name)
    return [by_name[name.upper()] for name in names]


def _print(console: Console, found: Exposure, shown: list[CountryExposure], policy: Policy) -> None:
    if found.bounded:
        most = f"An attacker can make this policy spend at most {total(found)}."
        console.print(most, style="bold")
        console.print(f"Bound by {found.day.because}.")
    else:
        console.print("NOT BOUNDED", style="bold white on red")
        console.print(ADVICE, markup=False)
    console.print(_assumed(found, policy), style="dim", markup=False)
    console.print(_countries(shown))
    if found.bounded:
        console.print(_without(found))
    for line in _beside(found, policy):
        console.print(line, markup=False)


def _assumed(found: Exposure, policy: Policy) -> str:
    prices = policy.price_table
    has = [
        f"{count if count is not None else 'any number of'} {what}"
        for count, what in ((found.networks, "addresses"), (found.numbers, "numbers"))
    ]
    return (
        f"He has {' and '.join(has)}, solves every challenge and enters every code. "
        f"At the prices of {prices.name}, {prices.date}{_age(prices)}."
    )


def _age(prices: PriceTable) -> str:
    days = prices.age()
    return f", {days} days old: too old to rely on" if days is not None and days > OLD else ""


def _countries(shown: list[CountryExposure]) -> Table:
    table = _table("By country, each alone", "a message", "an hour", "a day")
    table.add_column("because of")
    for country in shown:
        bounded = isfinite(country.day.usd)
        table.add_row(
            country.country,
            f"${country.price:.4f}",
            dollars(country.hour.usd),
            dollars(country.day.usd),
            country.day.because,
            style=None if bounded else "red",
        )
    return table


def _without(found: Exposure) -> Table:
    both = (found.hour.usd, found.day.usd)
    table = _table("Without a rule", "an hour", "a day")
    idle = []
    for rule, totals in sorted(found.without.items(), key=lambda item: -item[1].day):
        if totals == both:
            idle.append(rule)
        else:
            style = None if isfinite(totals.day) else "red"
            table.add_row(rule, dollars(totals.hour), dollars(totals.day), style=style)
    if idle:
        table.caption = f"No other rule changes the total by itself: {', '.join(idle)}."
        table.caption_justify = "left"
    return table


def _table(title: str, *amounts: str) -> Table:
    table = Table("", box=box.SIMPLE, title=title, title_justify="left")
    for heading in amounts:
        table.add_column(heading, justify="right")
    return table


def _beside(found: Exposure, policy: Policy) -> list[str]:
    lines = []
    if found.unverified != (found.hour.usd, found.day.usd):
        hour, day = map(dollars, found.unverified)
        lines.append(f"Who enters no code, where nobody else does: {hour} per hour, {day} per day.")
    if found.unheard is not None:
        hour, day = map(dollars, found.unheard)
        lines.append(
            f"Until the first verification is heard, anybody: {hour} per hour, {day} per day."
        )
    if policy.hold_out is not None:
        most = dollars(policy.hold_out.day)
        lines.append(f"Of that the hold-out may be {most} per day: what rules would have refused.")
    hour, day = map(dollars, found.away)
    lines.append(
        f"While the store is away (on_store_failure = {policy.on_store_failure!r}, workers = "
        f"{policy.workers}), besides: {hour} per hour, {day} per day."
    )
    return lines


def _as_json(found: Exposure, policy: Policy) -> dict[str, Any]:
    """Every bound; where there is none, null."""
    prices = policy.price_table
    return {
        "bounded": found.bounded,
        "hour": _bound(found.hour),
        "day": _bound(found.day),
        "countries": {
            c.country: {"price": c.price, "hour": _bound(c.hour), "day": _bound(c.day)}
            for c in found.countries
        },
        "without": {rule: _totals(totals) for rule, totals in found.without.items()},
        "unverified": _totals(found.unverified),
        "unheard": None if found.unheard is None else _totals(found.unheard),
        "away": _totals(found.away),
        "networks": found.networks,
        "numbers": found.numbers,
        "prices": {
            "name": prices.name,
            "date": prices.date,
            "age_days": prices.age(),
            "source": prices.source,
        },
    }


def _bound(bound: Bound) -> dict[str, Any]:
    return {"usd": _finite(bound.usd), "rules": sorted(bound.rules)}


def _totals(totals: Totals) -> dict[str, Any]:
    return {"hour": _finite(totals.hour), "day": _finite(totals.day)}


def _finite(usd: float) -> float | None:
    return usd if isfinite(usd) else None
