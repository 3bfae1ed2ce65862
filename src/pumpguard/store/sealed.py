"""Short texts that lie in a store and that nobody who reads the store can read, such as numbers.

Encrypt, then authenticate, with keyed BLAKE2b (RFC 7693) as the pseudo-random function: one block
of key stream over a random nonce, and a tag over both. The key is a keyed hash of the name under
which the text is kept, so it takes the policy's secret and the name to open it.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from hmac import compare_digest

LONGEST = 32
"""Bytes of a text; shorter ones are padded, so that the length says nothing."""

NONCE, TAG = 12, 16


def seal(key: bytes, text: str) -> bytes:
    """The text, sealed. Raises `ValueError` for one of more than 32 bytes."""
    plain = text.encode()
    if len(plain) > LONGEST:
        raise ValueError("a text of more than 32 bytes")
    nonce = os.urandom(NONCE)
    hidden = nonce + _stream(key, nonce, plain.ljust(LONGEST, b"\0"))
    return hidden + _tag(key, hidden)


def opened(key: bytes, text: bytes) -> str | None:
    """What was sealed with this key, or ``None`` if this was not."""
    hidden, tag = text[:-TAG], text[-TAG:]
    if len(text) != NONCE + LONGEST + TAG or not compare_digest(tag, _tag(key, hidden)):
        return None
    return _stream(key, hidden[:NONCE], hidden[NONCE:]).rstrip(b"\0").decode()


def _stream(key: bytes, nonce: bytes, text: bytes) -> bytes:
    stream = blake2b(nonce, digest_size=LONGEST, key=key, person=b"pumpguard seal").digest()
    return bytes(a ^ b for a, b in zip(text, stream, strict=True))


def _tag(key: bytes, hidden: bytes) -> bytes:
    return blake2b(hidden, digest_size=TAG, key=key, person=b"pumpguard tag").digest()
