"""Short texts that the fleet shares: kept for a while, and sealed."""

from __future__ import annotations

import pytest

from pumpguard.store import sealed
from pumpguard.store.base import Store
from pumpguard.store.redis import RedisStore

AT = 1_700_000_000.0
KEY = bytes(range(10))


async def test_a_note_is_found_until_it_expires(store: Store) -> None:
    """Under its own name, and the later one replaces the earlier."""
    assert await store.recall("flow 1", AT) is None
    await store.remember("flow 1", "+447400123456", 60, AT)
    await store.remember("flow 2", "+447400123457", 60, AT)
    assert await store.recall("flow 1", AT + 59) == "+447400123456"
    await store.remember("flow 1", "+447400123458", 60, AT)
    assert await store.recall("flow 1", AT) == "+447400123458"
    assert await store.recall("flow 1", AT + 61) is None


async def test_another_secret_opens_nothing(name: str, valkey_url: str) -> None:
    """Whoever can read the store cannot read the numbers in it."""
    ours, other = (
        RedisStore(valkey_url, name=name, deadline=10, secret=secret)
        for secret in ("a" * 16, "b" * 16)
    )
    await ours.remember("flow 1", "+447400123456", 60)
    assert await ours.recall("flow 1") == "+447400123456"
    assert await other.recall("flow 1") is None
    await ours.aclose()
    await other.aclose()


def test_a_seal_is_opened_by_its_key_alone() -> None:
    """And by nothing that was changed on the way; its length says nothing."""
    text = sealed.seal(KEY, "+447400123456")
    assert sealed.opened(KEY, text) == "+447400123456"
    assert sealed.opened(KEY[::-1], text) is None
    for i in range(len(text)):
        changed = bytearray(text)
        changed[i] ^= 1
        assert sealed.opened(KEY, bytes(changed)) is None
    assert sealed.opened(KEY, b"") is None
    assert b"7400" not in text
    assert len(text) == len(sealed.seal(KEY, "1"))
    assert text != sealed.seal(KEY, "+447400123456")


def test_a_long_text_is_refused() -> None:
    """A note is no place for whole documents."""
    with pytest.raises(ValueError, match="1024"):
        sealed.seal(KEY, "x" * 1_025)


@pytest.mark.parametrize("length", [0, 1, 32, 33, 64, 300, 1_024])
def test_texts_of_several_blocks(length: int) -> None:
    """Such as tickets: each block has a stream of its own."""
    text = "ab" * (length // 2) + "a" * (length % 2)
    hidden = sealed.seal(KEY, text)
    assert sealed.opened(KEY, hidden) == text
    assert (len(hidden) - sealed.NONCE - sealed.TAG) % sealed.BLOCK == 0
    same = sealed.seal(KEY, "a" * 64)[sealed.NONCE :]
    assert same[:32] != same[32:64]
    assert sealed.opened(KEY, hidden[: -sealed.BLOCK]) is None
