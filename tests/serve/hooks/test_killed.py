"""A process is killed while it sends a hook's message, and the server posts the hook again."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.conftest import PATIENT
from tests.serve.hooks.servers import SECRET, SERVERS
from tests.serve.running import POLICY, Running

PHONE = "+447400123456"

SENDER = """
import os
import pathlib
import time

def send(phone, text):
    with (pathlib.Path(__file__).parent / "sent").open("a") as file:
        file.write(f"{phone} {text}\\n")
    time.sleep(600 if "HANGS" in os.environ else 0)
    return "id"
"""


def test_nothing_is_sent_or_counted_twice(
    tmp_path: Path, valkey_url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other process knows that it was begun, and not what came of it: it says so and sends
    nothing. The message that was on its way stays counted, once."""
    (tmp_path / "our_sender.py").write_text(SENDER)
    hook = f'[[hook]]\nserver = "logto"\nsecret = "{SECRET}"\n'
    (tmp_path / "hooks.toml").write_text(f'[sender]\nprovider = "our_sender:send"\n{hook}')
    policy = POLICY + f'name = "{name}"\n[rules.phone_limit]\nlimits = "2/hour"\n'
    options = ("--hooks", f"{tmp_path}/hooks.toml", "--deadline", "60")
    body, sent = SERVERS[1].body(PHONE), tmp_path / "sent"
    sent.touch()
    with Running(tmp_path, valkey_url, *options, policy=policy) as there:
        monkeypatch.setenv("HANGS", "1")
        with Running(tmp_path, valkey_url, *options, policy=policy) as here:
            asking = here.begin("/hooks/logto", body, authorization=SECRET)
            end = time.monotonic() + PATIENT
            while not sent.read_text():
                assert time.monotonic() < end
                time.sleep(0.01)
            here.process.kill()
            here.process.wait()
        asking.close()
        assert there.ask("/hooks/logto", body, authorization=SECRET)[0] == 503
        assert sent.read_text() == f"{PHONE} 561166 is your code.\n"
        found = [there.ask("/v1/assess", {"phone": PHONE})[1]["action"] for _ in range(2)]
        assert found == ["allow", "throttle"]
