"""A cell is one (family, seed, price table, defence); its result is one small file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..crowds import CROWDS
from ..figures import Table
from ..lookalikes import LOOKALIKES

SCHEMA = 2
NO_ATTACK = "no_attack"
"""A family's name for a day on which nobody attacks."""

CALM = (NO_ATTACK, *LOOKALIKES, *CROWDS)
"""All days about which the figures of attacks say nothing: on some something looks like one, and on
others a crowd comes (in one of them with an attack inside, which has a figure of its own)."""

OPEN = "none"
"""The defence that defends nothing: what all others are held against."""

SEEDS, BASELINE_SEEDS, HELD_OUT_FROM = 10, 3, 1001


@dataclass(frozen=True)
class Setting:
    """What all cells of a scorecard have in common; cells of different settings never mix."""

    users: int = 2_000
    part: float = 1.0
    held_out: bool = False
    app: str | None = None
    """``module:factory`` of somebody's own app."""
    url: str | None = None
    """A running server of somebody's own."""

    def seeds(self, count: int) -> list[int]:
        """The first seeds; held-out ones were never used while anything was being made."""
        first = HELD_OUT_FROM if self.held_out else 1
        return list(range(first, first + count))

    @property
    def mark(self) -> str:
        """Short enough for a file name."""
        return f"{'h' if self.held_out else 'u'}{self.users}-p{self.part:g}"


@dataclass(frozen=True)
class Cell:
    """One play."""

    family: str
    seed: int
    prices: str
    defence: str

    def file(self, folder: Path, setting: Setting) -> Path:
        """Where its result is kept."""
        defence = self.defence
        if (own := setting.app or setting.url) and self.defence == own:
            defence = "own-" + hashlib.blake2b(own.encode(), digest_size=4).hexdigest()
        name = f"{self.family}.{self.seed}.{self.prices}.{defence}.{setting.mark}.json"
        return folder / name


def grid(
    families: Sequence[str], seeds: Sequence[int], prices: Sequence[str], defences: Sequence[str]
) -> Iterator[Cell]:
    """All cells, seed by seed, so that whatever is finished when time runs out is balanced."""
    for seed in seeds:
        for table in prices:
            for family in families:
                for defence in defences:
                    yield Cell(family, seed, table, defence)


def write(file: Path, cell: Cell, setting: Setting, result: Table) -> None:
    """Write a result in one step: a file that exists is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    document = {"schema": SCHEMA, "cell": asdict(cell), "setting": asdict(setting), **result}
    half = file.with_suffix(".part")
    half.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
    half.replace(file)


def read(file: Path) -> Table | None:
    """A finished result; None if there is none that this version understands."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    known = isinstance(document, dict) and document.get("schema") == SCHEMA
    return document if known else None
