"""The report as a picture; where what draws it is not installed, it is said before all else."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pumpguard.cli import app

SIGNATURE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a policy and two logs: of messages, of which many go to one block; and of requests."""
    monkeypatch.chdir(tmp_path)
    Path("policy.toml").write_text('send = "/s"\nverify = "/v"\nhome = ["GB"]\n')
    start = 1_777_852_800
    rows = [f"{start + n},+22901{n:08},,\n" for n in range(60)]
    rows += [f"{start + 60 * n},+4474001{n:05},81.2.69.1,{start + 60 * n + 9}\n" for n in range(9)]
    rows += [f"{start + 100_000 + n},+99455178{n:04},5.10.0.1,\n" for n in range(300)]
    Path("log.csv").write_text("time,to,ip,verified_at\n" + "".join(rows))
    request = '"POST /s HTTP/1.1" 202 1\n'
    Path("access.log").write_text(f"5.10.0.1 - - [04/May/2026:00:00:00 +0000] {request}")
    return tmp_path


@pytest.mark.parametrize("log", ["log.csv", "access.log"])
def test_the_report_is_a_picture_too(folder: Path, log: str) -> None:
    """Of money or, where no price is known, of messages; also with nothing refused."""
    words = ["replay", log, "--policy", "policy.toml", "--challenge", "--png", "report.png"]
    result = CliRunner().invoke(app(), words)
    assert result.exit_code == 0, result.stderr
    picture = Path("report.png").read_bytes()
    assert picture.startswith(SIGNATURE)
    width, height = int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])
    assert (width, height) == (1320, 900)


def test_what_it_needs_is_named_before_anything_is_decided(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumpguard.commands.replay.find_spec", lambda name: None)
    words = ["replay", "log.csv", "--policy", "policy.toml", "--png", "report.png"]
    result = CliRunner().invoke(app(), words)
    assert result.exit_code == 1
    assert 'pip install "pumpguard[replay]"' in result.stderr
    assert not Path("report.png").exists()
    assert util.find_spec("matplotlib") is not None
