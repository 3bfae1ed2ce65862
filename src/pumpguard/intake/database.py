"""A MaxMind database that may be replaced, rewritten or damaged while the process runs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Any

from pumpguard.errors import PolicyError
from pumpguard.intake.address import Address
from pumpguard.notices import Notices

INTERVAL = 60.0
"""Seconds between two looks at a file."""

THREAD = "pumpguard-database"

SAMPLE = [IPv4Address((first << 24) + 0x010203) for first in range(256)]
"""Looked up in a file that was just read: if one of them fails, it is damaged."""


class Database:
    """Records by address, from a file that is looked at once a minute and read again if it has
    changed, in a thread of its own.

    The whole file is held in memory, for a moment twice: the pages of a mapped file that somebody
    truncates end the process (SIGBUS). A file counts as written when two looks in a row see the
    same; one that cannot be read, or has damaged data, is said (``PG086``) and the data before it
    is kept. ``clock`` gives seconds of any kind. Raises `PolicyError` if there is no data yet.
    """

    def __init__(
        self, path: str | Path, where: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._clock, self._notices = path, clock, Notices(clock)
        self._look_at = clock() + INTERVAL
        try:
            self._state = self._read = _state(path)
            self._reader = _opened(path)
        except Exception as error:
            raise PolicyError(where, f"a MaxMind database ({error})", str(path)) from None

    def get(self, address: Address) -> Any:
        """The record, or an empty one. Raises whatever damaged data make of it."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + INTERVAL
            Thread(target=self._look, name=THREAD, daemon=True).start()
        reader = self._reader
        if address.version > reader.metadata().ip_version:
            return {}  # IPv6, and the database has only IPv4 (4 and 6 are what both count by)
        return reader.get(address) or {}

    def _look(self) -> None:
        try:
            before, self._state = self._state, _state(self._path)
            if self._state == self._read or self._state != before:
                return  # nothing new, or somebody may still be writing
            reader = _opened(self._path)
            if _state(self._path) == before:
                self._reader, self._read = reader, before
        except Exception as error:
            text = "%s cannot be read (%s: %s); the data read before are used"
            name = type(error).__name__
            self._notices.say("PG086", str(self._path), text, self._path, name, error)


def _state(path: str | Path) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _opened(path: str | Path) -> Any:
    # geoip2's own Reader refuses files whose type it does not know; its reader underneath does not.
    import maxminddb

    reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
    for address in SAMPLE:
        reader.get(address)
    return reader
