"""What each deployment was worth, where people look for it: in ``pumpguard check``, in README."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pumpguard.ops.played import PARTS, Row, setting

from ...crowds import CROWDS
from ...figures import Table
from ..cells import CALM
from ..defences import DEFENCES, DEPLOYMENTS, README
from ..defences.from_readme import mark
from .published import put

DATA = Path("src/pumpguard/data/deployments.json")
PAGE = Path("README.md")


def publish_rows(scorecard: Table, root: Path) -> list[Path]:
    """Write what was played of the deployments below the repository's root: README's row into its
    page, and all of them into the package."""
    run = scorecard["run"]
    rows = {name: row(scorecard, name) for name in DEPLOYMENTS if name in scorecard["defences"]}
    page = root / PAGE
    page.write_text(put(page.read_text("utf-8"), said(rows[README], run)), "utf-8")
    table = {
        "made": run["made"][:10], "held_out": run["held_out"], "seeds": run["seeds"],
        "users": run["users"], "part": run["part"], "prices": ", ".join(run["prices"]),
        "readme": mark(), "rows": [_json(found) for found in rows.values()],
    }  # fmt: skip
    (root / DATA).write_text(json.dumps(table, indent=1) + "\n", "utf-8")
    return [page, root / DATA]


def row(scorecard: Table, name: str) -> Row:
    """One deployment's."""
    deployment, results = DEFENCES[name].guard, scorecard["defences"][name]["results"]
    assert deployment is not None  # noqa: S101  # of DEPLOYMENTS
    attacks = {n: t for n, t in _values(results, "saved") if n not in CALM and n != "overall"}
    refused = {n: t for n, t in _values(results, "harmed_share_crowd") if n in CROWDS}
    asked = {n: t for n, t in _values(results, "challenged_share_crowd") if n in CROWDS}
    if not (attacks and refused):
        raise ValueError(f"{name}: expected attacks and crowds; play all families")
    worst, crowd, busy = min(attacks, key=attacks.__getitem__), _most(refused), _most(asked)
    return Row(
        parts=deployment.parts,
        saved=dict(_values(results, "saved"))["overall"],
        saved_worst=attacks[worst], attack=_words(worst),
        refused=refused[crowd], refused_in=_words(crowd),
        asked=asked[busy], asked_in=_words(busy),
    )  # fmt: skip


def said(found: Row, run: Table) -> str:
    """README's sentences."""
    return (
        f"<!-- of lines {mark()} -->\n"
        f"**Copied as they stand**, these lines were played on {run['made'][:10]} with every "
        f"attack and every crowd of [the scorecard](docs/scorecard.md) ({setting(run)}): "
        f"{found}."
    )


def _values(results: Table, figure: str) -> Iterator[tuple[str, float]]:
    for name, tables in results.items():
        value = tables["all"].get(figure, {}).get("value")
        if value is not None:
            yield name, value


def _most(shares: dict[str, float]) -> str:
    return max(shares, key=shares.__getitem__)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _json(found: Row) -> dict[str, Any]:
    shares = ("saved", "saved_worst", "refused", "asked")
    texts = ("attack", "refused_in", "asked_in")
    return {
        "parts": [part for part in PARTS if part in found.parts],
        **{name: round(getattr(found, name), 6) for name in shares},
        **{name: getattr(found, name) for name in texts},
    }
