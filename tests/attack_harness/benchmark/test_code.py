from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from attack_harness.benchmark import code


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project of a few files, in a folder whose name means something elsewhere."""
    root = tmp_path / "card"
    for folder in ("src/pumpguard/money", "src/pumpguard/data", "attack_harness/benchmark/card"):
        (root / folder).mkdir(parents=True)
    (root / "src/pumpguard/money/prices.py").write_text("usd = 1\n")
    (root / "src/pumpguard/guard.py").write_text("guards = True\n")
    (root / "attack_harness/run.py").write_text("run = 1\n")
    (root / "attack_harness/benchmark/card/page.py").write_text("colour = 1\n")
    monkeypatch.setattr(code, "ROOT", root)
    code.digest.cache_clear()
    yield root
    code.digest.cache_clear()


def changed(root: Path, file: str) -> tuple[bool, bool]:
    """Whether a change of this file makes other results, of guarded plays and of the others."""
    before = code.digest(True), code.digest(False)
    (root / file).write_text("other = 2\n")
    code.digest.cache_clear()
    return code.digest(True) != before[0], code.digest(False) != before[1]


def test_a_play_without_the_guard_does_not_depend_on_it(root: Path) -> None:
    assert changed(root, "src/pumpguard/guard.py") == (True, False)
    assert changed(root, "src/pumpguard/money/prices.py") == (True, True)
    assert changed(root, "attack_harness/run.py") == (True, True)


def test_what_only_shows_figures_does_not_count(root: Path) -> None:
    assert changed(root, "attack_harness/benchmark/card/page.py") == (False, False)
