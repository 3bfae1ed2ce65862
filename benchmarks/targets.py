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
    """A look at one place of the results."""

    def look(results: Table) -> Found:
        found: Any = results
        for name in path:
            if not isinstance(found, Mapping) or found.get(name) is None:
                return None
            found = found[name]
        return float(found)

    return look


def share(*families: str, limits: int) -> Look:
    """pumpguard's added time over the cheapest variant's of these peers (of all, without names)."""

    def look(results: Table) -> Found:
        shares = [
            each["concurrent"]["pumpguard_share"]["median"]
            for each in results.get("in_process", {}).values()
            if each["kind"] == "peer"
            and each["limits"] == limits
            and (not families or each["family"] in families)
            and each["concurrent"]["pumpguard_share"]
        ]
        return max(shares, default=None)

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
        "≤ 1.40 × the bare FastAPI app",
        [Part("", at("in_process", "pumpguard", "concurrent", "ratio_to_bare", "median"), 1.40)],
    ),
    Row(
        "time added, against peers with 8 limits each",
        "≤ 1/12 of asgi-ratelimit's, 1/15 of limits' and throttled-py's, 1/40 of "
        "fastapi-limiter's, 1/60 of slowapi's; ≤ 1/3 of the cheapest peer with one limit",
        [
            Part("asgi-ratelimit", share("asgi-ratelimit", limits=8), round(1 / 12, 4)),
            Part("limits", share("limits", limits=8), round(1 / 15, 4)),
            Part("throttled-py", share("throttled-py", limits=8), round(1 / 15, 4)),
            Part("fastapi-limiter", share("fastapi-limiter", limits=8), round(1 / 40, 4)),
            Part("slowapi", share("slowapi", limits=8), round(1 / 60, 4)),
            Part("cheapest with one limit", share(limits=1), round(1 / 3, 4)),
        ],
    ),
    Row(
        "time added, sequential, at a Redis PING of 1 ms or more",
        "≤ 1.25 × the PING's p50",
        [Part("", at("far_redis", "systems", "pumpguard", "pings", "median"), 1.25)],
    ),
    Row(
        "refused by Redis, and by the local ban cache",
        "≤ 0.5 × and ≤ 0.25 × the bare app's own answer, the latter with 0 Redis commands",
        [
            Part("by Redis", at("refused", "refused", "ratio_to_bare", "median"), 0.5),
            Part("banned", at("refused", "banned", "ratio_to_bare", "median"), 0.25),
            Part("commands", at("refused", "banned", "server_commands", "median"), 0, ""),
        ],
    ),
    Row(
        "through uvicorn, 64 connections",
        "≥ 0.85 × the bare app's requests per second",
        [
            Part(
                "", at("through_uvicorn", "systems", "pumpguard", "to_bare", "median"), 0.85,
                at_least=True,
            )
        ],
    ),
    Row(
        "script time",
        "≤ 0.45 × a naive script of the same limits; banned ≤ 10 µs; exact windows for 12 "
        "counters ≤ 70 µs",
        [
            Part("to naive", at("script_time", "to_naive", "median"), 0.45),
            Part("banned", at("script_time", "banned", "median"), 10, "µs"),
            Part("12 exact windows", at("script_time", "twelve", "median"), 70, "µs"),
        ],
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
)  # fmt: skip
