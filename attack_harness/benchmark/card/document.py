"""The scorecard as one JSON document; docs/scorecard.md says what each field means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

from ...crowds import CROWDS
from ...figures import Table
from ..cells import CALM, OPEN, SCHEMA, SEEDS, Cell, Setting, read
from ..code import digest
from ..defences import DEFENCES, knows_prices
from .certainty import Families, with_intervals
from .goals import judged
from .summary import summary
from .tally import Figures, Tally, least, most

OVERALL, IN_CROWDS, BOTH = "overall", "crowds", "all"

Results: TypeAlias = Mapping[Cell, Table]
Scored: TypeAlias = dict[str, dict[str, dict[str, Any]]]
"""Figures by row (a family, ``overall`` or ``crowds``) and price table (or ``all``)."""


def load(cells: Iterable[Cell], folder: Path, setting: Setting) -> dict[Cell, Table]:
    """The results of those cells that are finished."""
    found = {cell: read(cell.file(folder, setting)) for cell in cells}
    return {cell: result for cell, result in found.items() if result is not None}


def document(results: Results, wanted: Sequence[Cell], setting: Setting, scored: str) -> Table:
    """Everything; ``scored`` is the defence that the summary and the targets are about."""
    names = list(dict.fromkeys(cell.defence for cell in wanted))
    rows = {name: score(results, name) for name in names}
    defences = {n: {"title": title(n), "results": found} for n, found in rows.items()}
    both = {row: tables[BOTH] for row, tables in rows[scored].items()}
    return {
        "schema": SCHEMA,
        "scored": scored,
        "summary": summary(tallies(results, scored), both),
        "targets": judged(rows, scored),
        "families": _families(results),
        "defences": defences,
        "run": _run(results, wanted, setting),
    }


def title(defence: str) -> str:
    """What people call a defence."""
    return DEFENCES[defence].title if defence in DEFENCES else defence


def calm_title(family: str) -> str:
    """What people call a day without an attack."""
    return family.replace("_", " ").capitalize()


def tallies(results: Results, defence: str, prices: str | None = None) -> dict[int, Families]:
    """A defence's tallies by seed and family, beside the same cells without any defence."""
    found: dict[int, dict[str, list[Tally]]] = defaultdict(lambda: defaultdict(list))
    for cell, result in results.items():
        open_ = results.get(Cell(cell.family, cell.seed, cell.prices, OPEN))
        if cell.defence == defence and prices in (None, cell.prices) and open_ is not None:
            found[cell.seed][cell.family].append(Tally.of(result, open_))
    return {s: {f: Tally.all(each) for f, each in fs.items()} for s, fs in found.items()}


def score(results: Results, defence: str) -> Scored:
    """All rows of one defence."""
    tables = [None, *dict.fromkeys(cell.prices for cell in results)]
    rows: Scored = defaultdict(dict)
    for prices in tables:
        seeds = tallies(results, defence, prices)
        if not seeds:
            continue
        rows[OVERALL][prices or BOTH] = with_intervals(seeds, overall)
        if any(name in CROWDS for families in seeds.values() for name in families):
            rows[IN_CROWDS][prices or BOTH] = with_intervals(seeds, in_crowds)
        for family in dict.fromkeys(name for families in seeds.values() for name in families):
            alone = {s: {family: f[family]} for s, f in seeds.items() if family in f}
            rows[family][prices or BOTH] = with_intervals(alone, _one)
    return dict(rows)


def _one(families: Families) -> Figures:
    return Tally.all(families.values()).figures()


def overall(families: Families) -> Figures:
    """All families together, each as heavy as its cost, and the worst of them."""
    attacks = {name: tally for name, tally in families.items() if name not in CALM}
    each = [tally.figures() for tally in attacks.values()]
    return Tally.all(attacks.values()).figures() | {
        "saved_worst_family": least(f.get("saved") for f in each),
        "attacker_profit_max": most(f.get("attacker_profit") for f in each),
    }


def in_crowds(families: Families) -> Figures:
    """The worst of all days of crowds: users refused, users asked, alerts that were false."""
    each = [tally.figures() for name, tally in families.items() if name in CROWDS]
    figures = ("harmed_share_crowd", "challenged_share_crowd", "false_alerts")
    return {f"{figure}_worst": most(found.get(figure) for found in each) for figure in figures}


def _families(results: Results) -> Table:
    """What was attacked, from the first cell of each family."""
    found: Table = {}
    for cell, result in results.items():
        attack = result["attack"]
        if cell.defence != OPEN or cell.family in found:
            continue
        told = attack and {k: attack[k] for k in ("title", "numbers", "requests", "countries")}
        blocks = {"is_block": attack["is_block"]} if attack else {}
        covers = {"block_digits": result["covered"]["block_digits"]} if attack else {}
        calm = {"title": calm_title(cell.family)}
        found[cell.family] = (
            (told or calm) | blocks | covers | (calm if cell.family in CROWDS else {})
        )
    return found


def _run(results: Results, wanted: Sequence[Cell], setting: Setting) -> Table:
    codes: defaultdict[str, int] = defaultdict(int)
    for result in results.values():
        codes[result["code"]] += 1
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        **asdict(setting),
        "seeds": sorted({cell.seed for cell in wanted}),
        "seeds_by_defence": {
            name: len({cell.seed for cell in wanted if cell.defence == name})
            for name in dict.fromkeys(cell.defence for cell in wanted)
        },
        "prices": list(dict.fromkeys(cell.prices for cell in wanted)),
        "cells": {"finished": len(results), "wanted": len(wanted)},
        "code": {"now": digest(), "cells": dict(codes)},
        "warnings": _warnings(results, wanted, setting),
        "versions": {name: version(name) for name in ("pumpguard", "phonenumbers")},
        "cell_seconds": round(sum(result["wall_seconds"] for result in results.values()), 1),
    }


def _warnings(results: Results, wanted: Sequence[Cell], setting: Setting) -> list[str]:
    """What a reader must know before believing a figure."""
    said = []
    if len(results) < len(wanted):
        said.append(f"{len(wanted) - len(results)} of {len(wanted)} cells are not finished.")
    stale = sum(r["code"] != digest(knows_prices(cell.defence)) for cell, r in results.items())
    if stale:
        said.append(f"{stale} cells were measured with other code; --again plays them anew.")
    if setting.part < 1:
        said.append(f"Attacks were cut to {setting.part:.0%} of their time: not for publication.")
    if len({cell.seed for cell in wanted}) < SEEDS:
        said.append(f"Fewer than {SEEDS} seeds: the intervals mean little.")
    return said
