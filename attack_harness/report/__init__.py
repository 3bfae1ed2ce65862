"""Shows a scorecard: on the screen, as JSON, as a picture and as a page."""

from __future__ import annotations

import json
from pathlib import Path

from ..figures import Table
from .chart import draw, draw_parts
from .page import render
from .screen import show

__all__ = ["show", "write"]


def write(scorecard: Table, folder: Path) -> list[Path]:
    """Write ``scorecard.json``, ``scorecard.png`` and ``index.html``; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / name for name in ("scorecard.json", "scorecard.png", "index.html")]
    text = json.dumps(scorecard, indent=2, ensure_ascii=False)
    files[0].write_text(text + "\n", encoding="utf-8")
    files[1].write_bytes(draw(scorecard))
    files[2].write_text(render(scorecard, draw_parts(scorecard)), encoding="utf-8")
    return files
