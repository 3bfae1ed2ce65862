"""Shows the results: on the screen, as JSON and as a picture."""

from __future__ import annotations

import json
from pathlib import Path

from ..kit.stats import Table
from .screen import show

__all__ = ["show", "write"]


def write(results: Table, folder: Path) -> list[Path]:
    """Write ``latest.json`` and, where the costs were measured, ``latest.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "latest.json"
    text = json.dumps(results, indent=2, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
    if "in_process" not in results:
        return [path]
    from .picture import draw

    picture = folder / "latest.png"
    picture.write_bytes(draw(results))
    return [path, picture]
