"""The file of tokens: read again when it changes, and never half."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from pumpguard.errors import IntakeError, PolicyError
from pumpguard.serve import BearerTokens
from pumpguard.testing import FakeClock
from tests.serve.running import TOKEN

NEW = "b6d0a1f2c3e4958677a8b9c0d1e2f304"


def lets_in(tokens: BearerTokens, *said: bytes) -> bool:
    """Whether these values of ``Authorization`` let somebody in."""
    try:
        tokens.check([(b"host", b"x"), *((b"authorization", value) for value in said)])
    except IntakeError:
        return False
    return True


def test_who_says_a_token_comes_in(tokens: Path) -> None:
    """The scheme in any case, as HTTP has it; the token to the letter."""
    tokens.write_text(f"# the shop\n{TOKEN}\n\n  {NEW}  \n")
    known = BearerTokens(tokens)
    assert lets_in(known, b"Bearer " + TOKEN.encode())
    assert lets_in(known, b"bearer " + NEW.encode())
    wrong = [b"", b"Bearer", b"Bearer ", TOKEN.encode(), b"Basic " + TOKEN.encode()]
    wrong += [b"Bearer " + TOKEN.upper().encode(), b"Bearer " + TOKEN[:-1].encode(), b"Bearer \xff"]
    wrong += [b"Bearer # the shop"]
    assert not any(lets_in(known, value) for value in wrong)
    assert not lets_in(known)
    assert not lets_in(known, b"Bearer " + TOKEN.encode(), b"Bearer " + TOKEN.encode())


def test_tokens_are_rotated_without_a_restart(tokens: Path) -> None:
    """Within a second: the new one beside the old one, then the new one alone."""
    clock = FakeClock()
    known = BearerTokens(tokens, clock=clock)
    for text, old, new in ((f"{TOKEN}\n{NEW}\n", True, True), (f"{NEW}\n", False, True)):
        tokens.write_text(text)
        clock.advance(1)
        assert lets_in(known, f"Bearer {TOKEN}".encode()) is old
        assert lets_in(known, f"Bearer {NEW}".encode()) is new
    tokens.write_text("# nobody\n")
    clock.advance(1)
    assert not lets_in(known, f"Bearer {NEW}".encode())


@pytest.mark.parametrize("wrong", ["weak\n", "a" * 40, None, b"\xff" * 40])
def test_what_cannot_be_read_changes_nothing(
    tokens: Path, wrong: str | bytes | None, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said, once an hour, without the token; and looked at again."""
    clock = FakeClock()
    known = BearerTokens(tokens, clock=clock)
    if wrong is None:
        tokens.unlink()
    else:
        tokens.write_bytes(wrong if isinstance(wrong, bytes) else wrong.encode())
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            clock.advance(1)
            assert lets_in(known, f"Bearer {TOKEN}".encode())
    assert caplog.text.count("PG102") == 1
    assert "weak" not in caplog.text
    tokens.write_text(f"{NEW}\n")
    clock.advance(1)
    assert not lets_in(known, f"Bearer {TOKEN}".encode())


@pytest.mark.parametrize("text", ["", "# none\n", "hunter2\n", f"{TOKEN}\nhunter2\n", "ä" * 40])
def test_it_begins_with_good_ones_only(tokens: Path, text: str) -> None:
    """A mistake must not repeat a token."""
    tokens.write_text(text)
    with pytest.raises(PolicyError) as raised:
        BearerTokens(tokens)
    assert raised.value.path == "tokens"
    assert "hunter2" not in str(raised.value)
    os.remove(tokens)
    with pytest.raises(PolicyError, match="No such file"):
        BearerTokens(tokens)
