"""One-time codes: drawn, kept as hashes, checked, forgotten."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from examples.target_app.clock import Clock

LIFETIME = 300
MAX_TRIES = 5
CAPACITY = 100_000


@dataclass(slots=True)
class _Issued:
    digest: bytes
    expires: float
    tries: int = 0


class Codes:
    """The latest code of each phone, for a single use within `LIFETIME` seconds.

    Lives in this process only: an app with several workers keeps it in its database.
    """

    def __init__(self, clock: Clock, capacity: int = CAPACITY) -> None:
        self._clock = clock
        self._capacity = capacity
        self._issued: dict[str, _Issued] = {}
        # There are only a million codes: without a secret key their hashes could be looked up.
        self._key = secrets.token_bytes(32)

    def __len__(self) -> int:
        return len(self._issued)

    def issue(self, phone: str) -> str:
        """Draw a new code for a phone; an older one stops working."""
        now = self._clock()
        self._issued.pop(phone, None)
        self._purge(now)
        code = f"{secrets.randbelow(1_000_000):06}"
        self._issued[phone] = _Issued(self._digest(phone, code), now + LIFETIME)
        return code

    def redeem(self, phone: str, code: str) -> bool:
        """Whether this is the phone's code, which is used up by that, or by too many tries."""
        digest = self._digest(phone, code)  # even where there is none: how long it takes tells
        issued = self._issued.get(phone)
        if issued is None or issued.expires <= self._clock():
            return False
        issued.tries += 1
        matches = hmac.compare_digest(issued.digest, digest)
        if matches or issued.tries >= MAX_TRIES:
            del self._issued[phone]
        return matches

    def forget(self, phone: str) -> None:
        """Withdraw a phone's code, because it could not be sent."""
        self._issued.pop(phone, None)

    def _digest(self, phone: str, code: str) -> bytes:
        # JSON can spell lone surrogates, which cannot be encoded.
        text = f"{phone} {code}".encode(errors="replace")
        return hashlib.blake2b(text, key=self._key, digest_size=16).digest()

    def _purge(self, now: float) -> None:
        # Codes are issued in order of time, so the oldest are the first.
        while self._issued:
            oldest = next(iter(self._issued))
            if self._issued[oldest].expires > now and len(self._issued) < self._capacity:
                return
            del self._issued[oldest]
