"""Writes the scorecard: JSON, one picture, one page."""

from __future__ import annotations

import json
from pathlib import Path

from ...figures import Table
from .page import render
from .picture import draw


def write_all(scorecard: Table, folder: Path) -> list[Path]:
    """Write ``scorecard.json``, ``scorecard.png`` and ``index.html``; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in ("scorecard.json", "scorecard.png", "index.html")]
    text = json.dumps(scorecard, indent=2, ensure_ascii=False)
    files[0].write_text(text + "\n", encoding="utf-8")
    files[1].write_bytes(draw(scorecard))
    files[2].write_text(render(scorecard), encoding="utf-8")
    return files
