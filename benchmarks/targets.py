"""The figures to reach, row by row, each held against what was measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from .kit.stats import Table

Found: TypeAlias = float | None
Look: TypeAlias = Callable[[Table], Found]


@dataclass(frozen=True, slots=True)
class Part:
    """One number of a row: what it is, where it stands, and its bound."""

    name: str
    look: Look
    bound: float
    unit: str = "×"
    at_least: bool = False

    def table(self, results: Table) -> Table:
        """The number held against its bound; ``None`` where it was not measured."""
        measured = self.look(results)
        return {
            "name": self.name,
            "target": f"{'≥' if self.at_least else '≤'} {self.bound:g} {self.unit}".rstrip(),
            "bound": self.bound,
            "measured": None if measured is None else round(measured, 4),
            "met": None if measured is None else self._met(measured),
        }

    def _met(self, measured: float) -> bool:
        return measured >= self.bound if self.at_least else measured <= self.bound


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the table of figures."""

    name: str
    target: str
    parts: Sequence[Part]

    def table(self, results: Table) -> Table:
        """The row, met only if every part of it is."""
        parts = [part.table(results) for part in self.parts]
        verdicts = [part["met"] for part in parts]
        met = None if None in verdicts else all(verdicts)
        return {
            "name": self.name,
            "target": self.target,
            "measured": "; ".join(_said(part) for part in parts),
            "met": False if False in verdicts else met,
            "parts": parts,
        }


def targets(results: Table) -> list[Table]:
    """Every row of the table of figures."""
    return [row.table(results) for row in ROWS]


def _said(part: Table) -> str:
    value = "not measured" if part["measured"] is None else f"{part['measured']:.3g}"
    return f"{part['name']} {value}" if part["name"] else value


def at(*path: str) -> Look:
    """A look at one place of the results; of a spread, at its median."""

    def look(results: Table) -> Found:
        found: Any = results
        for name in path:
            if not isinstance(found, Mapping) or found.get(name) is None:
                return None
            found = found[name]
        return float(found["median"] if isinstance(found, Mapping) else found)

    return look


def ratio(over: Sequence[str], under: Sequence[str]) -> Look:
    """One place over another."""

    def look(results: Table) -> Found:
        above, below = at(*over)(results), at(*under)(results)
        return above / below if above is not None and below else None

    return look


def flooded(figure: str, *, rate: str = "") -> Look:
    """The worst of a figure of ours over the floods that are played at this rate, or at any."""

    def look(results: Table) -> Found:
        rounds = results.get("flood", {}).get("pumpguard_flooded", {})
        found = [
            each[figure]
            for name, each in rounds.items()
            if name.endswith(rate) and isinstance(each, Mapping) and each.get(figure) is not None
        ]
        return max(found, default=None)

    return look


def largest(*paths: Sequence[str]) -> Look:
    """The largest of several places."""

    def look(results: Table) -> Found:
        found = [value for path in paths if (value := at(*path)(results)) is not None]
        return max(found, default=None)

    return look


ROWS: tuple[Row, ...] = (
    Row(
        "FastAPI with the whole default policy, 64 concurrent, in process, Redis",
        "≤ 2.0 × the bare FastAPI app",
        [Part("", at("in_process", "pumpguard", "concurrent", "ratio_to_bare", "median"), 2.0)],
    ),
    Row(
        "through uvicorn, 64 connections",
        "≥ 0.6 × the bare app's requests per second",
        [
            Part(
                "", at("through_uvicorn", "systems", "pumpguard", "to_bare", "median"), 0.6,
                at_least=True,
            )
        ],
    ),
    Row(
        "time added in process, memory:// against Redis",
        "≤ 1.2 ×",
        [
            Part(
                "",
                ratio(
                    ("in_process", "pumpguard_memory", "concurrent", "added_to_bare", "median"),
                    ("in_process", "pumpguard", "concurrent", "added_to_bare", "median"),
                ),
                1.2,
            )
        ],
    ),
    Row(
        "time added, sequential, at a Redis PING of 1 ms or more",
        "≤ 1.25 × the PING's p50",
        [Part("", at("far_redis", "systems", "pumpguard", "pings", "median"), 1.25)],
    ),
    Row(
        "refused, known to be full, and by a known ban: CPU of the app's process",
        "≤ 0.6 × and ≤ 0.5 × the bare app's own answer, the latter with 0 Redis commands (but one "
        "in five seconds for each that is banned)",
        [
            Part("known full", at("refused", "refused", "cpu_ratio_to_bare", "median"), 0.6),
            Part("banned", at("refused", "banned", "cpu_ratio_to_bare", "median"), 0.5),
            Part("commands", at("refused", "banned", "server_commands", "median"), 0.01, ""),
        ],
    ),
    Row(
        "Redis in a flood, per refused request",
        "≤ 0.05 script calls and ≤ 3 µs busy: one address, a block, a country",
        [
            Part("script calls", flooded("script_calls_per_refused"), 0.05, ""),
            Part("µs busy", flooded("script_microseconds_per_refused"), 3, "µs"),
        ],
    ),
    Row(
        "users' p99 in a flood of 3,000 a second",
        "≤ 2 × without it, and none refused that was not before",
        [
            Part("p99", flooded("p99_to_quiet", rate="3000/s"), 2),
            Part("users refused", flooded("refused", rate="3000/s"), 0, ""),
        ],
    ),
    Row(
        "script time",
        "≤ 1.0 × a naive script of the same limits; banned ≤ 10 µs",
        [
            Part("to naive", at("script_time", "to_naive", "median"), 1.0),
            Part("banned", at("script_time", "banned", "median"), 10, "µs"),
        ],
    ),
    Row(
        "admitted decisions per second of one Redis core",
        "≥ 13,500: 1.5 × the 9,000 of November 2026",
        [Part("", at("capacity", "admitted_per_core_second"), 13_500, "", at_least=True)],
    ),
    Row(
        "cost from 8 to 16 rules",
        "≤ 1.3 ×",
        [Part("", at("growth", "added_16_to_8", "median"), 1.3)],
    ),
    Row(
        "1 million live subjects against 2 thousand",
        "≤ 1.4 × in time, ≤ 170 B per subject with two windows, no key without TTL",
        [
            Part("time", at("live_subjects", "to_small", "1000000", "median"), 1.4),
            Part("bytes", at("memory", "bytes_per_subject"), 170, "B"),
            Part(
                "keys without TTL",
                largest(
                    ("memory", "keys_without_ttl"),
                    ("live_subjects", "keys_without_ttl"),
                    ("capacity", "keys_without_ttl"),
                ),
                0,
                "",
            ),
        ],
    ),
    Row(
        "Redis paused for 300 ms",
        "the event loop never stalls longer than 10 ms",
        [Part("", at("paused", "largest_gap_ms"), 10, "ms")],
    ),
    Row(
        "over-admission over 10^6 attempts, 8 processes × 64 in flight, 20 seeds",
        "0",
        [Part("", at("over_admission", "over_admitted"), 0, "")],
    ),
    Row(
        "events to a stream and metrics: CPU of the app's process",
        "≤ 3 % more than the chain that tells nobody",
        [
            Part(kind, at("told", kind, "events and metrics", "added"), 0.03)
            for kind in ("admitted", "refused")
        ],
    ),
)  # fmt: skip
