"""``hooks.toml``: what it says is what it means, or it is refused with its path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pumpguard import Guard, Policy, PolicyError
from pumpguard.receipts import Receipts
from pumpguard.senders import Sns, Twilio
from pumpguard.serve.hooks import Hook
from pumpguard.serve.hooks.kinds import KINDS
from pumpguard.serve.hooks.settings import read_hooks
from tests.serve.hooks.servers import SECRET, WHSEC

SENDER = """
[sender]
provider = "Twilio"
account = "AC1"
token = "env:TWILIO_TOKEN"
from_ = "+15005550006"
max_price = 0.1
"""

SUPABASE = f"""
[[hook]]
server = "supabase"
secret = "{WHSEC}"
text = "Shop: {{code}}"
"""


RECEIPTS = f"""
[receipts]
url = "https://guard.example/receipts"
twilio = "{SECRET}"
"""


def read_hooks_of(path: Path) -> tuple[Any, list[Hook], Receipts | None]:
    """What it says, for some guard."""
    return read_hooks(path, Guard(Policy(send="/s", rules=[])))


def write(folder: Path, text: str) -> Path:
    """A file with this text."""
    path = folder / "hooks.toml"
    path.write_text(text)
    return path


def test_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider of ours with its settings, and a hook for each server."""
    monkeypatch.setenv("TWILIO_TOKEN", "tok")
    monkeypatch.setenv("LOGTO", SECRET)
    logto = '[[hook]]\nserver = "logto"\nsecret = "env:LOGTO"\npath = "/hooks/b2b"\n'
    send, hooks, _ = read_hooks_of(write(tmp_path, SENDER + SUPABASE + logto))
    assert isinstance(send, Twilio)
    assert [(each.kind, each.path) for each in hooks] == [
        (KINDS["supabase"], "/hooks/supabase"),
        (KINDS["logto"], "/hooks/b2b"),
    ]
    assert (hooks[0].text, hooks[1].secret) == ("Shop: {code}", SECRET)


def test_a_sender_of_your_own(tmp_path: Path) -> None:
    """By its name, from beside the file."""
    (tmp_path / "our_sender.py").write_text("async def send(phone, text): return 'id'")
    send, _, _ = read_hooks_of(
        write(tmp_path, '[sender]\nprovider = "our_sender:send"\n' + SUPABASE)
    )
    assert send.__name__ == "send"


def test_aws_without_retries(tmp_path: Path) -> None:
    """The client is made here."""
    text = '[sender]\nprovider = "Sns"\nregion = "eu-west-1"\n' + SUPABASE
    send, _, _ = read_hooks_of(write(tmp_path, text))
    assert isinstance(send, Sns)


def test_receipts_beside_the_hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider is told where to report, and the sender whom to tell."""
    monkeypatch.setenv("TWILIO_TOKEN", "tok")
    send, _, receipts = read_hooks_of(write(tmp_path, SENDER + SUPABASE + RECEIPTS))
    assert receipts is not None
    assert send._form["StatusCallback"] == "https://guard.example/receipts/twilio"
    assert send._sent == (receipts.sent,)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (None, "hooks"),
        ("x = ", "hooks"),
        ("x = 1", "x"),
        (SENDER, "hook"),
        (SUPABASE, "sender.provider"),
        ('[sender]\nprovider = "Twillio"\n' + SUPABASE, "sender.provider"),
        ('[sender]\nprovider = "Sender"\n' + SUPABASE, "sender.provider"),
        ('[sender]\nprovider = "nowhere:send"\n' + SUPABASE, "sender.provider"),
        ('[sender]\nprovider = "Twilio"\n' + SUPABASE, "sender"),
        (SENDER + "colour = 1\n" + SUPABASE, "sender"),
        (SENDER + SUPABASE + SUPABASE, "hook.path"),
        (SENDER + '[[hook]]\nserver = "okta"\n', "hook.0.server"),
        ("receipts = 1\n" + SENDER + SUPABASE, "receipts"),
        (SENDER + SUPABASE + RECEIPTS + "colour = 1\n", "receipts"),
        (SENDER + SUPABASE + RECEIPTS.replace("https", "http"), "receipts.url"),
        (SENDER + '[[hook]]\nserver = "logto"\nsecret = "hunter2"\n', "hook.0.secret"),
        (SENDER + '[[hook]]\nserver = "logto"\nsecret = "env:NOBODY"\n', "hook.0.secret"),
        (SENDER + f'[[hook]]\nserver = "supabase"\nsecret = "{SECRET}!"\n', "hook.0.secret"),
        (SENDER + SUPABASE + "colour = 'red'\n", "hook.0.colour"),
        (SENDER + SUPABASE + "path = 7\n", "hook.0.path"),
        (SENDER + SUPABASE + "path = '/v1/assess'\n", "hook.0.path"),
        (SENDER + SUPABASE.replace("{code}", "code"), "hook.0.text"),
        (SENDER + SUPABASE.replace("{code}", "{codes}"), "hook.0.text"),
    ],
)
def test_mistakes_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, path: str
) -> None:
    """With their path, and without repeating a secret."""
    monkeypatch.setenv("TWILIO_TOKEN", "tok")
    file = tmp_path / "hooks.toml" if text is None else write(tmp_path, text)
    with pytest.raises(PolicyError) as raised:
        read_hooks_of(file)
    assert raised.value.path == path
    assert "hunter2" not in str(raised.value)
    assert SECRET not in str(raised.value)


def test_receipts_of_another_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends is told whom to tell, and of no address that takes nothing of his."""
    monkeypatch.setenv("TWILIO_TOKEN", "tok")
    plivo = '[sender]\nprovider = "Plivo"\nauth_id = "MA1"\ntoken = "tok"\nfrom_ = "Shop"\n'
    send, _, receipts = read_hooks_of(write(tmp_path, plivo + SUPABASE + RECEIPTS))
    assert receipts is not None
    assert "url" not in send._fixed
    assert send._sent == (receipts.sent,)
