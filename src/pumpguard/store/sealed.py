"""Texts that lie in a store and that nobody who reads the store can read, such as numbers.

Encrypt, then authenticate, with keyed BLAKE2b (RFC 7693) as the pseudo-random function: one block
of key stream over a random nonce, and a tag over both. The key is a keyed hash of the name under
which the text is kept, so it takes the policy's secret and the name to open it.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from hmac import compare_digest
from math import ceil

BLOCK, LONGEST = 32, 1_024
"""Bytes of a text, padded to whole blocks so that its length says little; and at most."""

NONCE, TAG = 12, 16


def seal(key: bytes, text: str) -> bytes:
    """The text, sealed. Raises `ValueError` for one of more than 1,024 bytes."""
    plain = text.encode()
    if len(plain) > LONGEST:
        raise ValueError(f"a text of more than {LONGEST} bytes")
    nonce = os.urandom(NONCE)
    whole = max(1, ceil(len(plain) / BLOCK)) * BLOCK
    hidden = nonce + _stream(key, nonce, plain.ljust(whole, b"\0"))
    return hidden + _tag(key, hidden)


def opened(key: bytes, text: bytes) -> str | None:
    """What was sealed with this key, or ``None`` if this was not."""
    hidden, tag = text[:-TAG], text[-TAG:]
    if len(text) < NONCE + BLOCK + TAG or not compare_digest(tag, _tag(key, hidden)):
        return None
    return _stream(key, hidden[:NONCE], hidden[NONCE:]).rstrip(b"\0").decode()


def _stream(key: bytes, nonce: bytes, text: bytes) -> bytes:
    stream = b"".join(
        # The first block's has no number: so it was when there was one alone.
        blake2b(
            nonce + (i.to_bytes(2) if i else b""),
            digest_size=BLOCK, key=key, person=b"pumpguard seal",
        ).digest()
        for i in range(len(text) // BLOCK)
    )  # fmt: skip
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))


def _tag(key: bytes, hidden: bytes) -> bytes:
    return blake2b(hidden, digest_size=TAG, key=key, person=b"pumpguard tag").digest()
