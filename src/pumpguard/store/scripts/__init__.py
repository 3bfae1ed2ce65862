"""The scripts that stores run, put together from Lua files: those here, and those of the kinds.

What a script defines, every call of it pays for, so a script has only the kinds that are asked. No
file here names a kind but ``standing``, which looks for bans, and ``redeem``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import NamedTuple

from pumpguard.counters import KINDS, Counter, Known, Tickets

OUTCOMES = "\n-- outcomes\n"
"""Behind this line a kind's Lua is for outcomes alone."""


SHARED = ("log", "slices")
"""All that kinds share (`Counter.parts`)."""


class Script(NamedTuple):
    """A script and the hash that servers know it by."""

    sha: str
    body: str


def lua(name: str, package: str = __package__) -> str:
    """What a Lua file says."""
    return files(package).joinpath(f"{name}.lua").read_text(encoding="utf-8")


def letter(kind: type[Counter]) -> str:
    """How plans and scripts call a kind. Raises `ValueError` for one that is not in `KINDS`."""
    if kind not in KINDS:
        raise ValueError(f"{kind.__name__} is not in KINDS")
    return chr(ord("A") + KINDS.index(kind))


def script(*parts: str) -> Script:
    """Parts put together: names of files here, or Lua."""
    body = "\n".join(part if "\n" in part else lua(part) for part in ("start", *parts))
    return Script(sha1(body.encode(), usedforsecurity=False).hexdigest(), body)


@cache
def decide_script(kinds: frozenset[type[Counter]], shared: frozenset[str]) -> Script:
    """The script that knows these kinds and these parts that kinds share."""
    known = [_closed(_kind(kind).partition(OUTCOMES)[0]) for kind in KINDS if kind in kinds]
    shared_lua = _shared(shared)
    return script("standing", "request", "value", "readings", *shared_lua, *known, "decide")


def settle_script() -> Script:
    """The script that knows all kinds that are told of outcomes."""
    return _settle_script(tuple(kind for kind in KINDS if kind.told_of))


@cache
def redeem_script() -> Script:
    """The script that knows tickets, and who is known."""
    return script("request", "outcome", "value", _kind(Known), _kind(Tickets), "redeem")


@cache
def _settle_script(told: tuple[type[Counter], ...]) -> Script:
    known = [_closed(_kind(kind)) for kind in told]
    return script("request", "outcome", "value", *_shared(SHARED), *known, "settle")


def _kind(kind: type[Counter]) -> str:
    """The Lua beside a kind's module, and the letter by which it registers."""
    package, _, name = kind.__module__.rpartition(".")
    return f"local KIND = '{letter(kind)}'\n{lua(name, package)}"


def _closed(part: str) -> str:
    """Only its registration leads into it: every function that is defined has to search all names
    that are open for those which it uses."""
    return f"do\n{part}\nend"


def _shared(parts: Iterable[str]) -> list[str]:
    return [lua(part, "pumpguard.counters.shared") for part in sorted(parts)]
