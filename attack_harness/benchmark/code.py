"""Which code was measured: a digest of the guard, the app and the harness's actors."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEASURED = ("src/pumpguard", "examples/target_app", "attack_harness")
KINDS = (".py", ".lua", ".csv", ".toml")
SHOWING = frozenset({"report", "card"})
"""Folders of code that only shows what was measured."""


@cache
def digest() -> str:
    """The same for the same files; what only shows figures does not count."""
    found = hashlib.blake2b(digest_size=6)
    for folder in MEASURED:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in KINDS and not SHOWING & set(file.parts):
                found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()
