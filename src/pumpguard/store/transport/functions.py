"""Which scripts a server has as functions (Redis and Valkey from 7.0): it keeps what they define.

A script that is called by its hash defines that, and reads its plan, in each call. Nobody waits for
a function: the first call asks the server to load it, and goes by the hash, as all do where
functions are unknown or not allowed. Each is named after its text, as servers keep it like data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
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


def library(script: Script) -> str:
    """What a server loads."""
    text = lua("library").replace("NAME", name(script)).replace("-- SCRIPT", script.kept)
    return f"#!lua name={name(script)}\n{text}"


class Functions:
    """Those of one server, as far as one event loop knows."""

    def __init__(self) -> None:
        self._here: set[str] = set()
        self._asked: set[str] = set()
        self._tries, self._from = 0, 0.0

    def call(self, script: Script, ask: Ask, *words: Word) -> tuple[str, asyncio.Future[Any]]:
        """Call a script: the command that does so, and its reply. What is not loaded yet is asked
        for behind it."""
        if script.sha in self._here:
            return "FCALL", ask(("FCALL", name(script), *words))
        reply = ask(("EVALSHA", script.sha, *words))
        if script.kept and script.sha not in self._asked and monotonic() >= self._from:
            with suppress(Overloaded):
                loading = ask(("FUNCTION", "LOAD", library(script)))
                loading.add_done_callback(partial(self._loaded, script.sha))
                self._asked.add(script.sha)
        return "EVALSHA", reply

    def refused(self, script: Script, verb: str, fault: StoreError) -> bool:
        """Whether a call failed only because it was of a function: the server does not have it any
        more (``FUNCTION FLUSH``, or it began without its data), or does not let us call it."""
        if verb != "FCALL" or not isinstance(fault, ErrorReply):
            return False
        if isinstance(fault.reply, NoScriptError):
            self._asked.discard(script.sha)
        elif not isinstance(fault.reply, NoPermissionError):
            return False
        self._here.discard(script.sha)
        return True

    def _loaded(self, sha: str, reply: asyncio.Future[Any]) -> None:
        fault = "cancelled" if reply.cancelled() else str(reply.exception() or "")
        if not fault or "already exists" in fault:  # another process has loaded it
            self._here.add(sha)
        elif self._tries < TRIES:
            self._tries, self._from = self._tries + 1, monotonic() + AGAIN_AFTER
            self._asked.discard(sha)
