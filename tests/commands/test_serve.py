"""``pumpguard serve``: the real command, from a shell."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pumpguard import Guard, Policy
from pumpguard.cli import app
from pumpguard.serve import BearerTokens, Service
from pumpguard.serve.server import Server
from tests.serve.running import POLICY, TOKEN, Running


def test_it_decides_for_all_processes(tmp_path: Path, valkey_url: str, name: str) -> None:
    """Two of them on one store are one guard; the tokens are nowhere in what they say."""
    policy = POLICY + f'name = "{name}"\n[rules.phone_limit]\nlimits = "2/hour"\n'
    here = Running(tmp_path, valkey_url, policy=policy)
    there = Running(tmp_path, valkey_url, "--proof", policy=policy)
    with here, there:
        asked = {"phone": "+447400123456", "address": "81.2.69.142"}
        found = [each.ask("/v1/assess", asked)[1]["action"] for each in (here, there, here, there)]
        assert found == ["allow", "allow", "throttle", "throttle"]
    assert TOKEN not in "".join(here.said + there.said)
    (said,) = [line for line in here.said if "PG003" in line]
    assert "pumpguard serve --proof" in said
    assert "PG003" not in "".join(there.said)


def test_its_refusals_are_explained(tmp_path: Path, valkey_url: str, name: str) -> None:
    """By the reference that the person was told, from the store that the service shares."""
    policy = POLICY + f'name = "{name}"\n[rules.phone_limit]\nlimits = "2/hour"\n'
    service = Running(tmp_path, valkey_url, "--proof", policy=policy)
    with service:
        asked = {"phone": "+447400123456", "address": "81.2.69.142"}
        found = [service.ask("/v1/assess", asked)[1]["reference"] for _ in range(3)]
        assert found[:2] == [None, None]
        assert service.stop() == 0  # what waits is written
    words = ["why", found[2], "--policy", f"{tmp_path}/policy.toml", "--store", valkey_url]
    result = CliRunner().invoke(app(), words)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"{found[2]}: throttle at 20")


def test_it_ends_in_order(tmp_path: Path, valkey_url: str, name: str) -> None:
    """On SIGTERM it goes on answering for as long as was said, but is not ready; it answers what it
    has begun, tells what it has been told, and ends with 0."""
    policy = POLICY + f'name = "{name}"\n'
    service = Running(tmp_path, valkey_url, "--drain", "1.5", policy=policy)
    with service:
        ticket = service.ask("/v1/assess", {"phone": "+447400123456"})[1]["ticket"]
        slow = service.connection()
        slow.putrequest("POST", "/v1/settle")
        body = json.dumps({"ticket": ticket, "outcome": "not_sent"}).encode()
        for header in (
            ("authorization", f"Bearer {TOKEN}"),
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
        ):
            slow.putheader(*header)
        slow.endheaders(body[:10])
        assert service.ask("/readyz")[0] == 200
        service.process.terminate()
        while service.ask("/readyz")[0] == 200:
            pass
        assert service.ask("/v1/assess", {"phone": "+447400123457"})[0] == 200
        time.sleep(2)  # the port is closed by now, and the slow request is still there
        slow.send(body[10:])
        assert slow.getresponse().status == 202
        with pytest.raises(ConnectionRefusedError):
            service.ask("/readyz")
        rest, _ = service.process.communicate(timeout=60)
        assert service.process.returncode == 0
        assert "Traceback" not in rest


@pytest.mark.parametrize(
    ("tokens", "settings", "said"),
    [
        (None, "", "/tokens: tokens: expected a readable file"),
        ("hunter2", "", "/tokens: tokens: expected tokens of at least 24 random characters"),
        (TOKEN, "home = 7", "/policy.toml: home: expected"),
    ],
)
def test_it_refuses_to_start(tmp_path: Path, tokens: str | None, settings: str, said: str) -> None:
    """Where it would let in nobody, or somebody who guesses."""
    (tmp_path / "policy.toml").write_text(f'send = "/s"\n{settings}\n')
    if tokens is not None:
        (tmp_path / "tokens").write_text(tokens)
    words = ["serve", "--policy", f"{tmp_path}/policy.toml", "--tokens", f"{tmp_path}/tokens"]
    result = CliRunner().invoke(app(), [*words, "--store", "memory://"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr.replace("\n", "")
    assert "hunter2" not in result.stderr


def test_it_says_what_is_missing_and_what_is_in_the_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another address than this machine's; and where the extra is not installed."""
    monkeypatch.delitem(sys.modules, "pumpguard.serve.server", raising=False)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    (tmp_path / "policy.toml").write_text('send = "/s"\n')
    (tmp_path / "tokens").write_text(TOKEN)
    words = ["serve", "--policy", f"{tmp_path}/policy.toml", "--tokens", f"{tmp_path}/tokens"]
    words += ["--store", "memory://", "--host", "0.0.0.0"]
    result = CliRunner().invoke(app(), words)
    assert result.exit_code == 1
    assert "Tokens and numbers travel unencrypted" in result.stderr
    assert "the service needs uvicorn: pip install 'pumpguard[cli,serve]'" in result.stderr
    assert "unencrypted" not in CliRunner().invoke(app(), [*words, "--https"]).stderr


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """The file of tokens."""
    path = tmp_path / "tokens"
    path.write_text(f"{TOKEN}\n")
    return path


def test_signals_end_it_one_after_the_other(tokens: Path) -> None:
    """SIGTERM says that it is not ready; SIGINT, or a second SIGTERM, ends it; a SIGINT after that
    waits for nobody."""
    service = Service(Guard(Policy(send="/s")), BearerTokens(tokens))
    server = Server(service, "127.0.0.1", 0, drain=60)
    server.handle_exit(signal.SIGTERM, None)
    assert (service.draining, server.should_exit) == (True, False)
    server.handle_exit(signal.SIGTERM, None)
    assert (server.should_exit, server.force_exit) == (True, False)
    server.handle_exit(signal.SIGTERM, None)
    assert not server.force_exit
    server.handle_exit(signal.SIGINT, None)
    assert server.force_exit
    at_once = Server(service, "127.0.0.1", 0, drain=60)
    at_once.handle_exit(signal.SIGINT, None)
    assert at_once.should_exit


@pytest.mark.parametrize(
    ("words", "module"),
    [
        (["serve", "--tokens", "{tokens}", "--store", "memory://"], "pumpguard.serve.server"),
        (["console", "--store", "redis://127.0.0.1:9"], "pumpguard.ops.console"),
    ],
)
def test_a_package_that_is_broken_is_not_called_missing(
    tmp_path: Path, tokens: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], module: str
) -> None:
    """Nobody is sent to install what is there."""
    monkeypatch.setenv("PUMPGUARD_CONSOLE_TOKEN", TOKEN)
    monkeypatch.setitem(sys.modules, module, None)
    (tmp_path / "policy.toml").write_text('send = "/s"\n')
    given = [word.format(tokens=tokens) for word in words]
    result = CliRunner().invoke(app(), [*given, "--policy", f"{tmp_path}/policy.toml"])
    assert isinstance(result.exception, ModuleNotFoundError)
    assert "pip install" not in result.stderr
