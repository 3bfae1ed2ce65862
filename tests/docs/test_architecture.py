"""The page about the architecture: its counts, and the kind of counter that it adds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PACKAGE = ROOT / "src" / "pumpguard"
ROW = re.compile(r"^\|(?: [\w ]+ \|)? ((?:`[\w/]+\.\w+` ?)+)\| (\d+) \|$", re.M)
CORE = 5_000
"""Lines that somebody can read before a safe change."""

PLAYED = """
import asyncio
from functools import cached_property
from pumpguard import Rule, counters
from pumpguard.testing import Trial
from kinds.pause import Pause

counters.KINDS.append(Pause)

class Once(Rule):
    @cached_property
    def pauses(self):
        return (Pause(self.name, "phone", 60),)
    def counters(self, attempt):
        return self.pauses
    def judge(self, attempt, readings):
        return self.finding("PAUSE", retry_after=readings[0].wait)

async def play():
    trial = Trial(Once())
    found = [await trial.send("+447400123456") for _ in range(2)]
    trial.clock.advance(60)
    return [*found, await trial.send("+447400123456")]

found = asyncio.run(play())
assert [each.allowed for each in found] == [True, False, True], found
assert found[1].retry_after == 60, found[1].retry_after
"""


def lines(files: str) -> int:
    """Of the files that a row names, together."""
    names = re.findall(r"`([^`]+)`", files)
    return sum(len((PACKAGE / name).read_text("utf-8").splitlines()) for name in names)


def test_the_counts_are_right_and_the_core_can_be_read() -> None:
    """Each row names files that exist, and their lines within a tenth; the core is bounded."""
    rows = ROW.findall(PAGE)
    assert len(rows) > 8
    wrong = [
        (files, lines(files)) for files, count in rows if abs(lines(files) / int(count) - 1) > 0.1
    ]
    assert wrong == []
    core = PAGE.partition("<!-- core -->")[2].partition("And by what you change")[0]
    assert 0 < sum(lines(files) for files, _ in ROW.findall(core)) <= CORE


def test_the_kind_of_counter_counts(tmp_path: Path) -> None:
    """Its two files as they stand there, and its line, are a counter that a rule can use."""
    ((python,), (lua,)) = (
        re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.M | re.S)
        for language in ("python", "lua")
    )
    kinds = tmp_path / "kinds"
    kinds.mkdir()
    (kinds / "__init__.py").touch()
    (kinds / "pause.py").write_text(python)
    (kinds / "pause.lua").write_text(lua)
    played = [sys.executable, "-c", PLAYED]
    done = subprocess.run(played, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
