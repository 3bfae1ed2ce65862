"""Runs the scripts in this process, as Redis would: LuaJIT, or Lua 5.1 where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from pumpguard.errors import PolicyError, StoreError
from pumpguard.store.scripts import Script, lua

DIALECTS = "luajit21", "lua51"
"""Both are the language that Redis speaks, with nothing but doubles for numbers; wheels for macOS
lack the first, which takes half the time: it compiles what a script keeps (`Script.kept`)."""


class Write(NamedTuple):
    """What a script has written; ``ttl`` is in ms, ``None`` for the one that is there."""

    key: bytes
    value: bytes
    ttl: int | None


class Interpreter:
    """A Lua state. Nothing stays in it from call to call but the scripts, and plans that they have
    read, so one serves every store of a process; a thread waits while another runs a script."""

    def __init__(self, dialect: str) -> None:
        module: Any = import_module(f"lupa.{dialect}")
        self._state = module.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        self._state.execute(b"if jit then jit.on() end")
        self._call = self._state.execute(lua("process", __package__).encode())
        self._compiled: dict[str, Any] = {}
        self._error: type[Exception] = module.LuaError

    def run(
        self,
        script: Script,
        now: int,
        keys: Sequence[bytes],
        values: Sequence[bytes | None],
        arguments: Sequence[bytes | str | int | float],
    ) -> tuple[Any, list[Write]]:
        """The script's reply, and what it writes; ``values`` are those of ``keys``, ``now`` is in
        Unix ms. Raises `StoreError` for a script that fails."""
        compiled = self._compiled.get(script.sha)
        if compiled is None:
            kept = script.kept or f"return function()\n{script.body}\nend"
            compiled = self._compiled[script.sha] = self._state.execute(kept.encode())
        words = [each if type(each) is bytes else str(each).encode() for each in arguments]
        try:
            listed, written, *found = self._call(compiled, now, len(keys), *keys, *values, *words)
        except self._error as error:
            raise StoreError(f"a script failed: {error}") from error
        writes = [Write(*found[at : at + 3]) for at in range(0, written, 3)]
        return found[written:] if listed else found[written], writes


@cache
def interpreter() -> Interpreter:
    """The one of this process. Raises `PolicyError` where ``lupa`` is not installed."""
    for dialect in DIALECTS:
        try:
            return Interpreter(dialect)
        except ImportError:
            continue
    raise PolicyError("store", "lupa to be installed, to count in this process: pip install lupa")
