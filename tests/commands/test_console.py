"""``pumpguard console``: the page beside the app."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pumpguard.cli import app

TOKEN = "2b7e151628aed2a6abf7158809cf4f3c"


@pytest.fixture
def policy(tmp_path: Path, name: str) -> Path:
    """A policy's file."""
    path = tmp_path / "policy.toml"
    path.write_text(f'send = "/s"\nname = "{name}"\ndeadline = 10\n')
    return path


@pytest.mark.parametrize(
    ("token", "store", "said"),
    [
        ("", "redis://127.0.0.1:9", "PUMPGUARD_CONSOLE_TOKEN: token: expected at least 24 random"),
        ("hunter2", "redis://127.0.0.1:9", "PUMPGUARD_CONSOLE_TOKEN: token: expected at least 24"),
        (TOKEN, "memory://", "store: expected one that several processes share"),
        (TOKEN, "http://x", "store"),
    ],
)
def test_it_refuses_to_start(
    policy: Path, monkeypatch: pytest.MonkeyPatch, token: str, store: str, said: str
) -> None:
    """Without a token, with a weak one, or where nobody else would obey."""
    monkeypatch.setenv("PUMPGUARD_CONSOLE_TOKEN", token)
    result = CliRunner().invoke(app(), ["console", "--policy", str(policy), "--store", store])
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr
    assert not token or token not in result.stderr


def test_it_says_what_is_missing_and_what_is_in_the_open(
    policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another address than this machine's; and where the extra is not installed."""
    monkeypatch.setenv("PUMPGUARD_CONSOLE_TOKEN", TOKEN)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    words = ["console", "--policy", str(policy), "--store", "redis://127.0.0.1:9"]
    result = CliRunner().invoke(app(), [*words, "--host", "0.0.0.0"])
    assert result.exit_code == 1
    assert "The token travels unencrypted" in result.stderr
    assert "the page needs uvicorn: pip install 'pumpguard[cli,console]'" in result.stderr
    result = CliRunner().invoke(app(), [*words, "--host", "0.0.0.0", "--https"])
    assert "unencrypted" not in result.stderr


def test_it_serves_until_it_is_stopped(policy: Path, valkey_url: str) -> None:
    """The real command, on a port of its own; the token is nowhere but in its environment."""
    command = [sys.executable, "-m", "pumpguard.cli", "console", "--port", "0"]
    settings = ["--policy", str(policy), "--store", valkey_url]
    process = subprocess.Popen(
        [*command, *settings],
        env={**os.environ, "PUMPGUARD_CONSOLE_TOKEN": TOKEN},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if found := re.search(r"http://127\.0\.0\.1:\d+", line):
                break
        assert found is not None, said
        asking = urllib.request.Request(f"{found[0]}/api/overrides")
        asking.add_header("authorization", f"Bearer {TOKEN}")
        with urllib.request.urlopen(asking, timeout=60) as reply:
            assert b'"posture":"normal"' in reply.read()
        with urllib.request.urlopen(found[0], timeout=60) as reply:
            assert reply.url.endswith("/login")
    finally:
        process.terminate()
        rest, _ = process.communicate(timeout=60)
    assert "PG003" not in "".join(said) + rest
    assert "Traceback" not in rest
    assert TOKEN not in "".join(said) + rest
