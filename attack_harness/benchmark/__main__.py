"""``python -m attack_harness.benchmark``: the public scorecard, resumed where it was left."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pumpguard.money.prices import PACKAGED

from ..attackers import ALL_FAMILIES
from ..crowds import CROWDS
from ..lookalikes import LOOKALIKES
from .card.document import document, load
from .card.files import write_all
from .card.published import publish
from .card.rows import publish_rows
from .card.screen import playing, show
from .cells import BASELINE_SEEDS, CALM, OPEN, SEEDS, Cell, Setting, grid
from .code import ROOT
from .defences import DEFENCES, DEPLOYMENTS, GUARD
from .workers import Estimate, play_all, unfinished

PRICES = ("appwrite-2026", "aws-2022")
QUICK = {"users": 400, "part": 0.1, "seeds": 2}


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    setting: Setting
    cells: tuple[Cell, ...]
    scored: str
    jobs: int
    out: Path
    again: bool
    report_only: bool
    publish: Path | None
    publish_rows: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Play what is not finished, then write the scorecard; the exit code is about errors only."""
    options = parse(arguments)
    folder = options.out / "cells"
    setting, cells = options.setting, options.cells
    if not options.report_only:
        left = unfinished(cells, folder, setting, again=options.again)
        estimate = Estimate([cell for _, cell in left], options.jobs)
        with playing(len(cells), len(cells) - len(left), estimate) as watch:
            for finished in play_all(left, setting, folder, options.jobs):
                watch(*finished)
    results = load(cells, folder, setting)
    scorecard = document(results, cells, setting, options.scored)
    files = write_all(scorecard, options.out)
    if options.publish is not None:
        files += publish(scorecard, options.publish)
    if options.publish_rows:
        files += publish_rows(scorecard, ROOT)
    show(scorecard, files)
    return 0


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    given = _parser().parse_args(arguments)
    own = given.app or given.url
    users = given.users or (QUICK["users"] if given.quick else Setting.users)
    part = QUICK["part"] if given.quick else Setting.part
    setting = Setting(int(users), part, given.held_out, given.app, given.url)
    seeds = setting.seeds(given.seeds or int(QUICK["seeds"] if given.quick else SEEDS))
    # A running server has one price list, and what one play did it would tell the next.
    prices = (given.prices or PRICES)[:1] if given.url else given.prices or PRICES
    defences = list(dict.fromkeys((OPEN, *([own] if own else []), *(given.defence or DEFENCES))))
    families = given.family or [*ALL_FAMILIES, *CALM]
    scored = own or (GUARD if GUARD in defences else defences[-1])
    main = [name for name in defences if name in (OPEN, scored)]
    others = [name for name in defences if name not in main]
    # What a look-alike meets is nearly the same every day.
    alike = [name for name in families if name in LOOKALIKES]
    crowds = [name for name in families if name in CROWDS]
    exact = [name for name in families if name not in (*LOOKALIKES, *CROWDS)]
    # The guard set up half-way is held against crowds and attacks, under one price list.
    half = [name for name in others if name in DEPLOYMENTS]
    others = [name for name in others if name not in DEPLOYMENTS]
    few = seeds[: given.baseline_seeds or BASELINE_SEEDS]
    return Options(
        setting=setting,
        cells=(
            *grid(exact, seeds, prices, main),
            *grid(exact, few, prices, others),
            *grid(alike, few, prices, [*main, *others]),
            *grid(crowds, few, prices[:1], [*main, *half]),
            *grid(exact, few, prices[:1], half),
        ),
        scored=scored,
        jobs=1 if given.url else given.jobs,
        out=given.out,
        again=given.again,
        report_only=given.report_only,
        publish=given.publish,
        publish_rows=given.publish_rows,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m attack_harness.benchmark", description=__doc__)
    add = parser.add_argument
    add("--seeds", type=_positive, help=f"days per cell of the table ({SEEDS})")
    add(
        "--baseline-seeds", type=_positive, help=f"for baselines and look-alikes ({BASELINE_SEEDS})"
    )
    add("--jobs", type=_positive, default=1, help="processes (1)")
    add("--users", type=_positive, help=f"real users per day ({Setting.users})")
    add("--quick", action="store_true", help="two seeds, a tenth of each attack, few users")
    add("--held-out", action="store_true", help="seeds and parameters that nobody tuned for")
    add("--family", action="append", choices=[*ALL_FAMILIES, *CALM], help="only this; (all)")
    add("--defence", action="append", choices=list(DEFENCES), help="only this; (all)")
    add("--prices", action="append", choices=list(PACKAGED), help=f"({', '.join(PRICES)})")
    own = parser.add_mutually_exclusive_group()
    own.add_argument("--app", help="score your own ASGI app: module:create_app")
    own.add_argument("--url", help="score your own running server")
    add("--again", action="store_true", help="play finished cells again")
    add("--report-only", action="store_true", help="play nothing; report what is finished")
    add("--publish", type=Path, help="put the results into the documentation in this folder, too")
    add(
        "--publish-rows",
        action="store_true",
        help="put the deployments' rows into README, too",
    )
    add("--out", type=Path, default=Path("report/scorecard"), help="folder (report/scorecard)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected at least 1")
    return number


if __name__ == "__main__":
    raise SystemExit(main())
