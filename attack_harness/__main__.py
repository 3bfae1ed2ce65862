"""``python -m attack_harness``: one simulated day without and with pumpguard, and its scorecard."""

from __future__ import annotations

import argparse
import asyncio
import gc
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from .attackers import ALL_FAMILIES, FAMILIES
from .books import read_books
from .clock import DAY, MIDNIGHT
from .figures import Table
from .lookalikes import LOOKALIKES
from .report import show, write
from .report.screen import Watch, watching
from .run import play
from .savings import RunResult
from .scorecard import score
from .server import served
from .targets import InProcess, OverHttp, Target
from .world import World, build

FULL_USERS = 4_000
SHORT_USERS = 600
SHORT_PART = 0.15
"""The part of each attack's time that a short day keeps."""

LAST_MINUTES = 3_600.0
"""The last users come just before midnight and need a few of them until the bills are read."""


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    seed: int
    users: int
    attacks: tuple[str, ...]
    part: float
    http: bool
    out: Path
    policy: Path | None = None
    days: int = 1
    lookalikes: tuple[str, ...] = ()


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m attack_harness", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="every draw follows from it")
    parser.add_argument("--users", type=_positive, help=f"real users per day ({FULL_USERS})")
    parser.add_argument(
        "--attack",
        action="append",
        choices=list(ALL_FAMILIES),
        help=f"only this attack; may be repeated ({', '.join(FAMILIES)})",
    )
    parser.add_argument(
        "--lookalike",
        action="append",
        choices=list(LOOKALIKES),
        default=[],
        help="innocent traffic that looks like an attack; may be repeated (none)",
    )
    parser.add_argument("--days", type=_positive, default=1, help="days, from a Tuesday on (1)")
    parser.add_argument("--http", action="store_true", help="over real sockets, to a real uvicorn")
    parser.add_argument("--quick", action="store_true", help="shorter attacks and fewer users")
    parser.add_argument(
        "--policy", type=Path, help="guard by this TOML file (the app's own policy)"
    )
    parser.add_argument("--out", type=Path, default=Path("report"), help="folder of the report")
    given = parser.parse_args(arguments)
    short = given.quick or given.http
    return Options(
        seed=given.seed,
        users=given.users or (SHORT_USERS if short else FULL_USERS),
        attacks=tuple(n for n in ALL_FAMILIES if n in (given.attack or FAMILIES)),
        part=SHORT_PART if short else 1.0,
        http=given.http,
        policy=given.policy,
        out=given.out,
        days=given.days,
        lookalikes=tuple(n for n in LOOKALIKES if n in given.lookalike),
    )


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("expected at least 1")
    return number


@asynccontextmanager
async def target(options: Options, *, guard: bool) -> AsyncIterator[Target]:
    """The example app with a fresh state, in process or behind real sockets."""
    if options.http:
        async with served(guard=guard, policy=options.policy) as url, OverHttp(url) as over_http:
            yield over_http
        return
    # Imported late, so that the rest of the harness works with any other app.
    from examples.target_app.app import create_app
    from examples.target_app.settings import Settings

    settings = Settings(guard=guard, policy_file=options.policy, simulated=True, seed=options.seed)
    app = create_app(settings)
    async with InProcess(app) as in_process:
        yield in_process


async def one_run(reached: Target, world: World, watch: Watch) -> RunResult:
    """Play the day against one target and read its books."""
    outcomes, everybody = world.cast()
    _settle_memory()
    began = time.perf_counter()
    log = await play(reached, everybody, watch)
    books_close = MIDNIGHT + world.days * DAY + LAST_MINUTES
    watch(books_close)
    wall_seconds = time.perf_counter() - began
    return RunResult(log, outcomes, await read_books(reached, books_close), wall_seconds)


def _settle_memory() -> None:
    """Take what exists out of the garbage collector's sight.

    A full collection over all users and bots stops the process for longer than the guard waits for
    its store, and would so measure the harness.
    """
    gc.collect()
    gc.freeze()


async def compare(options: Options) -> Table:
    """Both runs over the same day, and their scorecard."""
    world = build(
        options.seed,
        options.users,
        options.attacks,
        options.part,
        days=options.days,
        lookalikes=options.lookalikes,
    )
    results: list[RunResult] = []
    with watching("without pumpguard", "with pumpguard", days=options.days) as watches:
        for guard, watch in zip((False, True), watches, strict=True):
            async with target(options, guard=guard) as reached:
                results.append(await one_run(reached, world, watch))
    mode = "http" if options.http else "in-process"
    without, guarded = results
    return score(world, without, guarded, {"mode": mode, "part_of_attacks": options.part})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, show and write; the exit code is about errors, never about the figures."""
    options = parse(arguments)
    scorecard = asyncio.run(compare(options))
    files = write(scorecard, options.out)
    show(scorecard, files)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
