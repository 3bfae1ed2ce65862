"""Which code was measured: a digest of the guard, the app and the harness's actors."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HARNESS = ("examples/target_app", "attack_harness")
PRICES = ("src/pumpguard/data", "src/pumpguard/money/prices.py")
"""What a play without the guard takes from its package."""

KINDS = (".py", ".lua", ".csv", ".toml")
SHOWING = frozenset({"report", "card"})
"""Folders of code that only shows what was measured."""


@cache
def digest(guarded: bool = True) -> str:
    """The same for the same files; what only shows figures does not count, and for a play without
    the guard neither does the guard."""
    found = hashlib.blake2b(digest_size=6)
    for measured in (*(("src/pumpguard",) if guarded else PRICES), *HARNESS):
        root = ROOT / measured
        for file in sorted(root.rglob("*")) if root.is_dir() else (root,):
            path = file.relative_to(ROOT)  # what stands above it may be called anything
            if file.suffix in KINDS and not SHOWING & set(path.parts):
                found.update(str(path).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()
