"""Who may use the service: whoever says one of the tokens in a file."""

from __future__ import annotations

import hmac
import logging
import secrets
import time
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path

from pumpguard.config import require
from pumpguard.errors import IntakeError, PolicyError
from pumpguard.notices import Notices

MIN_TOKEN, MIN_DISTINCT = 24, 8
"""Characters of a token, and how many different ones: as of the console's token."""

LOOKED_AT = 1.0
"""Seconds for which the file is not looked at again."""

UNAUTHORIZED = IntakeError(
    401, "unauthorized", "No token", "Say a token of this service: Authorization: Bearer …"
)
AMBIGUOUS = IntakeError(
    400, "ambiguous-request", "Ambiguous request", "The header Authorization is there twice."
)


class BearerTokens:
    """The tokens in a file: one a line; empty lines, and those that begin with ``#``, say nothing.

    The file is read again within a second after it was changed: write the new token beside the old
    one, give it to the clients, remove the old one. What cannot be read leaves the known tokens in
    force and is said (``PG102``); a file without any token lets nobody in. Raises `PolicyError`.
    """

    def __init__(
        self,
        path: Path,
        notices: Notices | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._clock = path, clock
        self._notices = notices or Notices(clock)
        self._key = secrets.token_bytes(32)
        self._seen = self._stamp()
        self._hashes = self._read()
        require(self._hashes, "tokens", "a file with at least one token", str(path))
        self._looked = clock()

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises `IntakeError` unless these headers of a request say one of the tokens."""
        said = [value for name, value in headers if name == b"authorization"]
        if len(said) > 1:
            raise AMBIGUOUS
        scheme, _, token = (said[0] if said else b"").partition(b" ")
        self._look()
        given, right = self._hash(token.strip()), False
        for known in self._hashes:  # all of them, each in constant time
            right |= hmac.compare_digest(known, given)
        if not right or scheme.lower() != b"bearer":
            raise UNAUTHORIZED

    def _look(self) -> None:
        """Read the file again if it has changed."""
        now = self._clock()
        if now - self._looked < LOOKED_AT:
            return
        self._looked = now
        try:
            stamp = self._stamp()
            if stamp == self._seen:
                return
            hashes = self._read()
        except PolicyError as error:
            text = "%s; the tokens that were read before stay in force"
            self._notices.say("PG102", "tokens", text, error, level=logging.ERROR)
            return
        self._seen, self._hashes = stamp, hashes

    def _stamp(self) -> tuple[int, int, int]:
        try:
            found = self._path.stat()
        except OSError as error:
            raise self._wrong(f"a readable file ({error.strerror})") from None
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _read(self) -> tuple[bytes, ...]:
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except OSError as error:
            raise self._wrong(f"a readable file ({error.strerror})") from None
        except UnicodeDecodeError:
            raise self._wrong("text in UTF-8") from None
        tokens = [line.strip() for line in lines if line.strip() and line[0] != "#"]
        for token in tokens:
            if len(token) < MIN_TOKEN or len(set(token)) < MIN_DISTINCT or not token.isascii():
                expected = f"tokens of at least {MIN_TOKEN} random characters, such as from: "
                raise self._wrong(f"{expected}openssl rand -hex 24")
        return tuple(self._hash(token.encode()) for token in tokens)

    def _wrong(self, expected: str) -> PolicyError:
        return PolicyError("tokens", expected, str(self._path))

    def _hash(self, token: bytes) -> bytes:
        return blake2b(token, key=self._key, digest_size=32).digest()
