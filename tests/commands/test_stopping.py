"""`pumpguard replay` is stopped by Ctrl-C and goes on; meanwhile it shows how far it is."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pumpguard.cli import app
from pumpguard.commands.stopping import STOPPED, progress, reading, signals
from pumpguard.replay.entry import Entry

POLICY = 'send = "/s"\nverify = "/v"\nhome = ["GB"]\ndaily_budget = 30\n'


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Whoever starts the tests in the background of a shell may have Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def command(tmp_path: Path) -> list[str]:
    """Of a log that takes some seconds: people, and numbers that the plan does not know."""
    (tmp_path / "policy.toml").write_text(POLICY)
    rows = [
        f"{1_777_852_800 + 40 * n},+22990{n:08},5.{n % 200}.0.1,{1_777_852_820 + 40 * n}\n"
        f"{1_777_852_810 + 40 * n},+4474001{n:05},81.2.69.{n % 30},{1_777_852_830 + 40 * n}\n"
        for n in range(700)
    ]
    (tmp_path / "log.csv").write_text("time,to,ip,verified_at\n" + "".join(rows))
    return ["replay", "log.csv", "--policy", "policy.toml", "--challenge", "--json"]


def program(words: list[str], folder: Path) -> subprocess.Popen[str]:
    """In a process of its own, whose hashes of texts are its own too."""
    line = "from pumpguard.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", line, *words], cwd=folder, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_a_replay_that_is_stopped_goes_on_to_the_same_report(
    command: list[str], tmp_path: Path
) -> None:
    """To the byte."""
    whole, _ = program(command, tmp_path).communicate()
    running = program(command, tmp_path)
    assert running.stderr is not None
    assert running.stderr.readline() == "deciding: 0 of 2,800\n"
    while not running.stderr.readline().startswith("deciding: 1,"):
        pass
    running.send_signal(signal.SIGINT)
    out, err = running.communicate()
    assert running.returncode == STOPPED
    assert out == ""
    stopped = re.search(r"stopped after ([\d,]+) entries; the same command with --resume", err)
    assert stopped is not None
    assert int(stopped[1].replace(",", "")) < 2_800
    assert (tmp_path / "replay.checkpoint").exists()
    resumed, _ = program([*command, "--resume"], tmp_path).communicate()
    assert resumed == whole
    assert '"verified": 1400' in whole
    assert not (tmp_path / "replay.checkpoint").exists()


@contextmanager
def stops_at_once(total: int) -> Iterator[Callable[[int], None]]:
    """Ctrl-C after the first decision."""
    yield lambda done: signal.raise_signal(signal.SIGTERM) if done == 0 else None


def test_it_is_stopped_between_two_decisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also by who ends the machine."""
    monkeypatch.chdir(tmp_path)
    Path("policy.toml").write_text(POLICY)
    rows = [f"{1_777_852_800 + n},+4474001234{n:02},81.2.69.{n}\n" for n in range(40)]
    Path("log.csv").write_text("time,to,ip\n" + "".join(rows))
    words = ["replay", "log.csv", "--policy", "policy.toml", "--json"]
    whole = CliRunner().invoke(app(), words)
    with monkeypatch.context() as patched:
        patched.setattr("pumpguard.commands.replay.progress", stops_at_once)
        result = CliRunner().invoke(app(), words)
    assert result.exit_code == STOPPED
    assert "stopped after 1 entries" in result.stderr
    resumed = CliRunner().invoke(app(), [*words, "--resume"])
    assert resumed.stdout == whole.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_while_it_reads_it_keeps_nothing(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """And says so, whoever stops it."""
    monkeypatch.chdir(tmp_path)

    def stops(*_: object) -> Iterator[Entry]:
        signal.raise_signal(number)
        yield from ()

    monkeypatch.setattr("pumpguard.replay.entry.Parser.entries", stops)
    result = CliRunner().invoke(app(), command)
    assert result.exit_code == STOPPED
    assert "nothing is kept, and the same command begins anew" in result.stderr
    assert not (tmp_path / "replay.checkpoint").exists()


def test_another_command_does_not_go_on(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app(), [*command, "--resume"])
    assert result.exit_code == 1
    assert "--resume: expected the file of a replay that was stopped" in result.stderr


def test_a_second_signal_ends_it_at_once() -> None:
    before = signal.getsignal(signal.SIGINT)
    with signals() as stopped:
        assert not stopped()
        signal.raise_signal(signal.SIGINT)
        assert stopped()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_beside_a_terminal_each_tenth_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress(1_000) as watch:
        for done in (0, 50, 100, 120, 999):
            watch(done)
    assert capsys.readouterr().err.splitlines() == [
        "deciding: 0 of 1,000", "deciding: 100 of 1,000", "deciding: 999 of 1,000",
    ]  # fmt: skip


def test_on_a_terminal_there_is_a_bar(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One for reading, by the bytes of the files, and one for deciding."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    (tmp_path / "log").write_text("1,2\n")
    with reading([tmp_path / "log"]) as took:
        took(4)
    with progress(1_000) as watch:
        watch(500)
