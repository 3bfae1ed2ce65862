"""``python -m attack_harness.lockout``: what an attacker can do to users, and what it costs him."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from collections.abc import Sequence
from math import isfinite
from pathlib import Path

from rich.console import Console

from ..attackers.base import RESIDENTIAL_PROXY, SOLVED_CHALLENGE
from ..figures import Table, grid, money
from .rows import ROWS, Row
from .spoilers import AIMS, RATES, Spoilt, search

THOUSAND_MESSAGES = 1_000 * (RESIDENTIAL_PROXY + SOLVED_CHALLENGE)
"""USD that he pays for 1,000 messages, each asked for from another address and with proof."""


async def studies(seed: int, *, quick: bool) -> Table:
    """The rows, and the search for the cheapest way."""
    rows = [_row(await play(seed, 0.1) if quick else await play(seed)) for play in ROWS]
    aims, rates, hours = (AIMS[:1], RATES[-1:], 0.25) if quick else (AIMS, RATES, 1.0)
    found = await search(seed, hours, aims, rates)
    return {
        "seed": seed,
        "thousand_messages": money(THOUSAND_MESSAGES),
        "rows": rows,
        "spoilers": [_spoilt(each) for each in found],
    }


def _row(row: Row) -> Table:
    told: Table = {"name": row.name, "what": row.what, **_bill(row)}
    for who, customers in (("customers", True), ("strangers", False)):
        people = [person for person in row.people if person.customer is customers]
        told[who] = len(people)
        told[f"{who}_refused"] = row.count("refused", customers=customers)
        told[f"{who}_hidden"] = row.count("hidden", customers=customers)
        told[f"{who}_asked"] = sum(person.asked for person in people)
    return told


def _spoilt(each: Spoilt) -> Table:
    return {
        "way": each.spoiler.name,
        **_bill(each),
        "strangers": each.strangers,
        "strangers_lost": each.lost,
        "strangers_asked": each.asked,
        "customers": each.customers,
        "customers_lost": each.customers_lost,
        "messages_each": round(each.messages_each, 2) if each.lost else None,
        "thousand": money(each.thousand) if isfinite(each.thousand) else None,
    }


def _bill(played: Row | Spoilt) -> Table:
    bill = played.bill
    return {
        "requests": bill.requests,
        "messages": bill.messages,
        "app": money(bill.app),
        "his": round(bill.his, 4),
    }


def show(found: Table, console: Console) -> None:
    """Print both."""
    people = ("customers", "refused", "hidden", "asked", "strangers", "refused", "hidden", "asked")
    shown = grid("What once was worth its price", "what", "messages", "app", "his", *people)
    for row in found["rows"]:
        told = [
            str(row[f"{who}{what}"])
            for who in ("customers", "strangers")
            for what in ("", "_refused", "_hidden", "_asked")
        ]
        bill = (str(row["messages"]), f"${row['app']:.2f}", f"${row['his']:.2f}")
        shown.add_row(row["name"], *bill, *told)
    console.print(shown)
    headings = ("way", "messages", "app", "his", "strangers", "lost", "asked", "messages for one")
    shown = grid(
        "The optimal spoiler, by what he fills", *headings, "1,000 cost him", "customers", "lost"
    )
    for each in found["spoilers"]:
        thousand = "never" if each["thousand"] is None else f"${each['thousand']:,.2f}"
        shown.add_row(
            each["way"], str(each["messages"]), f"${each['app']:.2f}", f"${each['his']:.2f}",
            str(each["strangers"]), str(each["strangers_lost"]), str(each["strangers_asked"]),
            "never" if each["messages_each"] is None else f"{each['messages_each']:.2f}", thousand,
            str(each["customers"]), str(each["customers_lost"]),
        )  # fmt: skip
    console.print(shown)
    price = found["thousand_messages"]
    console.print(
        f"1,000 messages with bought proofs cost him ${price:.2f}, without proof a tenth\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, show and write; the exit code is about errors, never about the figures."""
    parser = argparse.ArgumentParser(prog="python -m attack_harness.lockout", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="every draw follows from it")
    parser.add_argument("--quick", action="store_true", help="shorter rows, and one way")
    parser.add_argument("--out", type=Path, default=Path("report"), help="folder of lockout.json")
    given = parser.parse_args(arguments)
    found = asyncio.run(studies(given.seed, quick=given.quick))
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "lockout.json"
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    console = Console(width=160)
    show(found, console)
    console.print(str(file))
    return 0


if __name__ == "__main__":
    logging.getLogger("pumpguard").setLevel(logging.ERROR)  # alerts of what is played
    raise SystemExit(main())
