"""``python -m attack_harness.money``: the bound, caps without detectors, and poisoning."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from ..figures import Table, grid
from ..report.words import dollars, percent
from . import bound, caps, market, poisoned


async def studies(seed: int, *, quick: bool) -> Table:
    """All studies, one after the other."""
    return {
        "seed": seed,
        "bound": [await bound.study(seed, hours) for hours in ((1.0,) if quick else (1.0, 24.0))],
        "caps": await caps.study(seed, 300 if quick else 4_000, 0.1 if quick else 1.0),
        "poisoning": await poisoned.study(seed, 0.2 if quick else 4.0),
        "market": await (
            market.study(seed, 0.5, (0, 300)) if quick else market.study(seed, market.AWAKE)
        ),
    }


def show(found: Table, console: Console) -> None:
    """Print the studies."""
    shown = grid("Optimal attacker, who has read the policy", "time", "bound", "spent", "reached")
    for each in found["bound"]:
        shown.add_row(
            f"{each['hours']:.0f} h",
            dollars(each["bound"]),
            dollars(each["spent"]),
            percent(each["reached"]),
        )
    console.print(shown)
    headings = ("attack", "spent", "cap a day", "dearest hour", "cap an hour")
    shown = grid("Only credit and budgets, every detector off", *headings)
    for each in found["caps"]["attacks"]:
        shown.add_row(
            each["name"],
            *(dollars(each[name]) for name in ("spent", "cap_day", "dearest_hour", "cap_hour")),
        )
    console.print(shown)
    said = found["caps"]
    console.print(
        f"users on that first day: {said['users']}; asked for proof: {said['challenged']} "
        f"({percent(said['challenged_share'])}); left without a code: {said['refused']} "
        f"({percent(said['refused_share'])})\n"
    )
    headings = ("codes entered", "undefended", "35 % rule", "pumpguard", "to the rule")
    shown = grid("Conversion poisoning, USD an hour", *headings)
    for each in found["poisoning"]:
        shown.add_row(
            percent(each["entered"]),
            *(dollars(each[name]) for name in ("undefended", "plain_rule", "pumpguard")),
            percent(each["to_plain"]),
        )
    console.print(shown)
    columns = ("codes entered the day before", "verified", "unverified", "his profit")
    shown = grid("A bought market, USD an hour", *columns)
    for each in found["market"]:
        amounts = (each[name] for name in ("verified", "unverified_an_hour", "profit_an_hour"))
        shown.add_row(f"{each['bought']:,}", *map(dollars, amounts))
    console.print(shown)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, show and write; the exit code is about errors, never about the figures."""
    parser = argparse.ArgumentParser(prog="python -m attack_harness.money", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="every draw follows from it")
    parser.add_argument("--quick", action="store_true", help="shorter attacks and fewer users")
    parser.add_argument("--out", type=Path, default=Path("report"), help="folder of money.json")
    given = parser.parse_args(arguments)
    found = asyncio.run(studies(given.seed, quick=given.quick))
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "money.json"
    file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    console = Console()
    show(found, console)
    console.print(str(file))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
