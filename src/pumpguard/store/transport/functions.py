"""Which scripts a server has as functions (Redis and Valkey from 7.0): it keeps what they define.

A script that is called by its hash defines that, and reads its plan, in each call. Nobody waits for
a function: the first call asks the server to load it, and goes by the hash, as all do where
functions are unknown or not allowed. Each is named after its text, as servers keep it like data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from time import monotonic
from typing import Any, TypeAlias

from redis.exceptions import NoPermissionError, NoScriptError

from pumpguard.errors import StoreError
from pumpguard.store.scripts import Script, Word, lua
from pumpguard.store.transport.calls import ErrorReply, Overloaded

Ask: TypeAlias = Callable[[tuple[Word, ...]], asyncio.Future[Any]]

TRIES, AGAIN_AFTER = 3, 60.0
"""To load something, and the seconds between. A server may be full; proxies may hang up at this."""


def name(script: Script) -> str:
    """Of its function, and of the library that has nothing else."""
    return f"pumpguard_{script.sha}"


@cache
def library(script: Script) -> str:
    """What a server loads."""
    text = lua("library").replace("NAME", name(script)).replace("-- SCRIPT", script.kept)
    return f"#!lua name={name(script)}\n{text}"


class Functions:
    """Those of one server, as far as one event loop knows: ``here`` has their names, by the hashes
    of the scripts."""

    def __init__(self) -> None:
        self.here: dict[str, str] = {}
        self._asked: set[str] = set()
        self._tries, self._from = 0, 0.0

    def by_hash(self, script: Script, ask: Ask, *words: Word) -> asyncio.Future[Any]:
        """Call a script that is not here, and ask for it behind that."""
        reply = ask(("EVALSHA", script.sha, *words))
        if script.kept and script.sha not in self._asked and monotonic() >= self._from:
            with suppress(Overloaded):
                loading = ask(("FUNCTION", "LOAD", library(script)))
                loading.add_done_callback(partial(self._loaded, script))
                self._asked.add(script.sha)
        return reply

    def refused(self, script: Script, fault: StoreError) -> bool:
        """Whether the call of a function failed only because it was one: the server does not have
        it any more (``FUNCTION FLUSH``, or it began without its data), or does not let us."""
        met = fault.reply if isinstance(fault, ErrorReply) else fault
        if isinstance(met, NoScriptError):
            self._asked.discard(script.sha)
        elif not isinstance(met, NoPermissionError):
            return False
        self.here.pop(script.sha, None)
        return True

    def _loaded(self, script: Script, reply: asyncio.Future[Any]) -> None:
        fault = "cancelled" if reply.cancelled() else str(reply.exception() or "")
        if not fault or "already exists" in fault:  # another process has loaded it
            self.here[script.sha] = name(script)
        elif self._tries < TRIES:
            self._tries, self._from = self._tries + 1, monotonic() + AGAIN_AFTER
            self._asked.discard(script.sha)
