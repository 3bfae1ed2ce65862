"""``python -m benchmarks``: measure, show, and write ``latest.json`` and ``latest.png``."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import platform
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import uvloop
from rich.console import Console

from .kit.servers import server
from .kit.stats import Table
from .kit.traffic import traffic
from .report import show, write
from .scenarios import (
    Bench,
    capacity,
    far_redis,
    flood,
    growth,
    in_process,
    live_subjects,
    memory,
    over_admission,
    paused,
    refused,
    script_time,
    through_uvicorn,
    told,
)
from .targets import targets

SCENARIOS: dict[str, Callable[[Bench], Awaitable[Table]]] = {
    "in_process": in_process.run,
    "through_uvicorn": through_uvicorn.run,
    "far_redis": far_redis.run,
    "refused": refused.run,
    "told": told.run,
    "script_time": script_time.run,
    "growth": growth.run,
    "memory": memory.run,
    "live_subjects": live_subjects.run,
    "capacity": capacity.run,
    "paused": paused.run,
    "over_admission": over_admission.run,
    "flood": flood.run,
}

PACKAGES = (
    "pumpguard", "fastapi", "starlette", "uvicorn", "uvloop", "redis", "hiredis", "limits",
    "slowapi", "fastapi-limiter", "throttled-py", "asgi-ratelimit", "fastapi-guard",
)  # fmt: skip


BUSY = 0.6
"""A load average above this at the start spoils what runs on two cores at once."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen scenarios."""
    options = _parser().parse_args(arguments)
    console = Console(width=None if sys.stdout.isatty() else 150)
    logging.disable(logging.ERROR)
    results: Table = {"about": about(options.quick)}
    if results["about"]["load_before"] > BUSY:
        console.print("[yellow]The machine is busy: app and Redis will not have a core each.[/]")
    began = time.monotonic()
    failed = False
    for name in options.only or SCENARIOS:
        try:
            results[name] = _run(name, Bench(quick=options.quick), console)
        except Exception:  # what the others have measured in half an hour is kept
            console.print_exception()
            failed = True
    results["about"]["seconds"] = round(time.monotonic() - began)
    results["targets"] = targets(results)
    written = write(results, options.out)
    show(results, console)
    for path in written:
        console.print(f"[dim]{path}[/]")
    return 1 if failed else 0


def about(quick: bool) -> Table:
    """Where and with what this was measured."""
    with server() as store:
        engine = store.version
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "quick": quick,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load_before": round(os.getloadavg()[0], 2),
        "server": engine,
        "packages": {name: _version(name) for name in PACKAGES},
        "method": (
            "Interleaved rounds in random order; each system runs right after the bare app, and "
            "ratios are taken within that pair. Figures are medians with quartiles over rounds. "
            "CPU is the process time of Python and the server's own; clients, apps and servers "
            "share the machine."
        ),
    }


def _run(name: str, bench: Bench, console: Console) -> Table:
    traffic()
    gc.collect()
    gc.freeze()  # our own 50,000 requests are no part of what is measured
    began = time.monotonic()
    with console.status(name) as status:
        told = Bench(bench.quick, lambda text: status.update(f"{name}: {text}"))
        found = uvloop.run(_as_coroutine(SCENARIOS[name](told)))
    console.print(f"[dim]{name:16} {time.monotonic() - began:5.0f} s[/]")
    return found


async def _as_coroutine(work: Awaitable[Table]) -> Table:
    return await work


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three minutes instead of forty")
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, metavar="NAME", help="some of them")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"), help="where to")
    return parser


if __name__ == "__main__":
    sys.exit(main())
