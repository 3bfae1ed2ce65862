"""The results in the terminal."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from ..kit.stats import Table
from .words import Added, ranked

OURS, SOFT = "bold green", "dim"

SERVER = (
    ("admitted decisions per second of one core", ("capacity", "admitted_per_core_second")),
    ("round trips per request", ("capacity", "trips_per_request")),
    ("script µs, default policy", ("script_time", "default")),
    ("script µs, the same counters naively", ("script_time", "naive")),
    ("script µs, 12 exact windows", ("script_time", "twelve")),
    ("script µs, banned", ("script_time", "banned")),
    ("script µs, banned unless known", ("script_time", "banned_unless_known")),
    ("bytes per subject, two windows, 1 message", ("memory", "bytes_per_subject")),
    ("bytes per subject, two windows, 3 messages", ("memory", "bytes_per_subject_after_3")),
    ("µs per decision, 2 thousand subjects", ("live_subjects", "microseconds", "2000")),
    ("µs per decision, 100 thousand subjects", ("live_subjects", "microseconds", "100000")),
    ("µs per decision, 1 million subjects", ("live_subjects", "microseconds", "1000000")),
    ("PING in µs, far Redis", ("far_redis", "ping_microseconds")),
)


def show(results: Table, console: Console) -> None:
    """All tables, the targets last."""
    if "in_process" in results:
        console.print(_costs(results["in_process"]))
    if "through_uvicorn" in results:
        console.print(_served(results["through_uvicorn"]))
    console.print(_server(results))
    console.print(_targets(results["targets"]))
    console.print(Text(results["about"]["method"], style=SOFT))


def _grid(title: str, first: str, *others: str) -> Grid:
    grid = Grid(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column(first, no_wrap=True)
    for name in others:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def _costs(costs: Table) -> Grid:
    grid = _grid(
        "Per request, in process (µs)", "system", "one by one", "64 at once", "× bare", "quartiles",
        "added", "÷ floor", "Python CPU", "Redis CPU", "trips", "admitted",
    )  # fmt: skip
    bare = costs["bare"]
    one, many = (bare[mode]["microseconds"]["median"] for mode in ("sequential", "concurrent"))
    cpu = bare["concurrent"]["python_cpu_microseconds"]["median"]
    grid.add_row(
        bare["title"], f"{one:.0f}", f"{many:.0f}", "1.00", *[""] * 3, f"{cpu:.0f}", style=SOFT
    )
    for each in ranked(costs):
        style = OURS if each.kind == "ours" else ""
        grid.add_row(*_cost(each, costs[each.name]), style=style)
    return grid


def _cost(added: Added, each: Table) -> Iterable[str]:
    one, many = each["sequential"], each["concurrent"]
    ratio, floor = many["ratio_to_bare"], many.get("added_to_floor")
    yield added.title
    yield f"{one['microseconds']['median']:.0f}"
    yield f"{many['microseconds']['median']:.0f}"
    yield f"{ratio['median']:.2f}"
    yield f"{ratio['low']:.2f} – {ratio['high']:.2f}"
    yield f"{added.median:.0f}"
    yield f"{floor['median']:.1f}" if floor else ""
    yield f"{many['python_cpu_microseconds']['median']:.0f}"
    yield f"{many['server_cpu_microseconds']['median']:.0f}"
    yield f"{one['server_reads']['median']:.0f}"
    yield f"{min(one['admitted'], many['admitted']):.1%}"


def _served(found: Table) -> Grid:
    grid = _grid(
        f"Through uvicorn, 64 connections (bare: {found['bare_per_second']['median']:,.0f}/s)",
        "system", "requests/s", "× bare", "quartiles", "p50 ms", "p99 ms", "CPU µs", "admitted",
    )  # fmt: skip
    for name, each in found["systems"].items():
        ratio = each["to_bare"]
        grid.add_row(
            each["title"],
            f"{each['per_second']['median']:,.0f}",
            f"{ratio['median']:.2f}",
            f"{ratio['low']:.2f} – {ratio['high']:.2f}",
            f"{each['p50_milliseconds']['median']:.1f}",
            f"{each['p99_milliseconds']['median']:.1f}",
            f"{each['server_process_cpu_microseconds']['median']:.0f}",
            f"{each['admitted']:.1%}",
            style=OURS if name.startswith("pumpguard") else "",
        )
    return grid


def _server(results: Table) -> Grid:
    grid = _grid("At the server", "figure", "median", "quartiles")
    for words, path in SERVER:
        found = results
        for name in path:
            found = found.get(name, {})
        if isinstance(found, dict) and "median" in found:
            spread = f"{found['low']:,.1f} – {found['high']:,.1f}"
            grid.add_row(words, f"{found['median']:,.1f}", spread)
        elif found:
            grid.add_row(words, f"{found:,.1f}", "")
    return grid


def _targets(rows: list[Table]) -> Grid:
    grid = Grid(title="Targets", title_justify="left", box=box.SIMPLE_HEAD)
    grid.add_column("figure", max_width=50)
    grid.add_column("of it", no_wrap=True)
    grid.add_column("target", no_wrap=True)
    grid.add_column("measured", justify="right", no_wrap=True)
    grid.add_column("")
    for row in rows:
        for number, part in enumerate(row["parts"]):
            grid.add_row(
                "" if number else row["name"],
                part["name"],
                part["target"],
                "" if part["measured"] is None else f"{part['measured']:.4g}",
                _verdict(part["met"]),
            )
    return grid


def _verdict(met: bool | None) -> Text:
    if met is None:
        return Text("not measured", style=SOFT)
    return Text("met", style="green") if met else Text("missed", style="bold red")
