"""``python -m attack_harness.three_apps``: a day of 4,000 people and two attacks in each app."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from .stage import SIZE, STAGES, Day, day

HEADINGS = (
    *("app", "people", "refused", "asked", "asked for", "without a guard", "lost", "saved"),
    *("shadows", "unseen", "sent under one", "CPU"),
)


def row(name: str, played: Day) -> str:
    """One app's day."""
    cells = (
        *(name, f"{len(played.outcomes):,}", played.refused, played.asked),
        *(f"{played.attempted:,}", f"${played.undefended:,.0f}", f"${played.lost:,.2f}"),
        *(f"{played.saved:.1%}", len(played.shadows), played.unseen, played.under_shadow),
        f"{played.seconds:.0f} s",
    )
    return f"| {' | '.join(map(str, cells))} |"


def main(arguments: Sequence[str] | None = None) -> int:
    """Play and print."""
    prog = "python -m attack_harness.three_apps"
    parser = argparse.ArgumentParser(prog=prog, description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="every draw follows from it")
    parser.add_argument("--users", type=int, default=SIZE)
    parser.add_argument("--part", type=float, default=1.0, help="of the attacks' time")
    given = parser.parse_args(arguments)
    print(f"| {' | '.join(HEADINGS)} |\n|{' --- |' * len(HEADINGS)}")
    for name in STAGES:
        print(row(name, asyncio.run(day(name, given.seed, given.users, given.part))), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
