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
lack the first, which takes half the time. Its compiler stays off where somebody waits for an
answer: every call of a script defines its functions anew, so compiled code is thrown away again.
With it the median was a quarter lower, and the slowest percent took twice as long."""


class Write(NamedTuple):
    """What a script has written; ``ttl`` is in ms, ``None`` for the one that is there."""

    key: bytes
    value: bytes
    ttl: int | None


class Interpreter:
    """A Lua state. Nothing stays in it from call to call but the compiled scripts, so one serves
    every store of a process; a thread waits while another runs a script."""

    def __init__(self, dialect: str, compiles: bool = False) -> None:
        module: Any = import_module(f"lupa.{dialect}")
        self._state = module.LuaRuntime(encoding=None, register_eval=False, register_builtins=False)
        self._state.execute(b"if jit then jit.%s() end" % (b"on" if compiles else b"off"))
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
            compiled = self._compiled[script.sha] = self._begun(script.body)
        words = [each if type(each) is bytes else str(each).encode() for each in arguments]
        try:
            listed, written, *found = self._call(compiled, now, len(keys), *keys, *values, *words)
        except self._error as error:
            raise StoreError(f"a script failed: {error}") from error
        writes = [Write(*found[at : at + 3]) for at in range(0, written, 3)]
        return found[written:] if listed else found[written], writes

    def _begun(self, body: str) -> Any:
        """A script without its beginning, which holds nothing of a call and is run once, here: what
        a function finds around itself costs less than what stands beside it."""
        start = lua("start")
        text = f"{start}\nreturn function()\n{body.removeprefix(start)}\nend"
        return self._state.execute(text.encode())


@cache
def interpreter(*, compiles: bool = False) -> Interpreter:
    """The one of this process, or another one that ``compiles``, for when only the sum of all calls
    counts. Raises `PolicyError` where ``lupa`` is not installed."""
    for dialect in DIALECTS:
        try:
            return Interpreter(dialect, compiles)
        except ImportError:
            continue
    raise PolicyError("store", "lupa to be installed, to count in this process: pip install lupa")
