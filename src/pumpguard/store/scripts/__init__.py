"""The scripts that stores run, put together from Lua files: those here, and those of the kinds.

What a script defines, every call of it pays for, so a script has only the kinds that are asked. No
file here names a kind but ``banned``, which looks for bans, and ``redeem``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import sha1
from importlib.resources import files
from typing import NamedTuple, TypeAlias

from pumpguard.counters import KINDS, Counter, Known, Tickets
from pumpguard.counters.plan import Plan

OUTCOMES = "\n-- outcomes\n"
"""Behind this line a kind's Lua, and what kinds share, is for outcomes alone."""

KINDS_HERE = "\n-- Here come the kinds of counter.\n"
"""Where its kinds are put in; before that is what all calls have alike, behind it what one does."""

EACH_CALL = "\n-- Each call begins so.\n"
"""Behind this line of ``common`` is what is known before a plan is read: nothing."""

SHARED = ("log", "slices")
"""All that kinds share (`Counter.parts`)."""


Word: TypeAlias = bytes | str | int | float
"""An argument of a script, which sees its text."""


class Script(NamedTuple):
    """A script and the hash that servers know it by. ``kept``, if there is one, is for who keeps
    what a script defines: it defines that, and returns the function to call."""

    sha: str
    body: str
    kept: str = ""


class Call(NamedTuple):
    """A script to run, with its KEYS, which live in one slot, and ARGV. ``at`` is the time in Unix
    seconds, or ``None`` for the store's own clock; Redis finds it in ARGV. If it is about questions
    it has their ``plans``, and its last key is the version of the overrides."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Word]
    at: float | None = None
    plans: tuple[Plan, ...] = ()


def lua(name: str, package: str = __package__) -> str:
    """The text of a Lua file of a package."""
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
    return _with_kinds("decide", *_without_outcomes(kinds, shared), "banned")


@cache
def refuse_script(kinds: frozenset[type[Counter]], shared: frozenset[str]) -> Script:
    """The script that counts many refusals, by the same."""
    return _with_kinds("refuse", *_without_outcomes(kinds, shared))


def settle_script() -> Script:
    """The script that knows all kinds that are told of outcomes."""
    return _settle_script(tuple(kind for kind in KINDS if kind.told_of))


@cache
def redeem_script() -> Script:
    """The script that knows tickets, and who is known."""
    return script("common", _kind(Known), _kind(Tickets).partition(OUTCOMES)[0], "redeem")


@cache
def note_script() -> Script:
    """The script that keeps a short text, or looks it up."""
    return script("note")


@cache
def _settle_script(told: tuple[type[Counter], ...]) -> Script:
    return _with_kinds("settle", [_shared(part) for part in SHARED], map(_kind, told))


def _without_outcomes(
    kinds: frozenset[type[Counter]], shared: frozenset[str]
) -> tuple[list[str], list[str]]:
    """The Lua of what kinds share, and that of the kinds, as far as requests need it."""
    return (
        [_shared(part).partition(OUTCOMES)[0] for part in sorted(shared)],
        [_kind(kind).partition(OUTCOMES)[0] for kind in KINDS if kind in kinds],
    )


def _with_kinds(name: str, shared: Sequence[str], kinds: Iterable[str], *first: str) -> Script:
    """Only its registration leads into a kind's Lua: every function that is defined has to search
    all names that are open for those which it uses."""
    before, _, behind = lua(name).partition(KINDS_HERE)
    common, _, begin = lua("common").partition(EACH_CALL)
    defined = (common, before, *shared, *(f"do\n{kind}\nend" for kind in kinds))
    kept = script(*defined, "return function()\n", *first, begin, behind, "end\n").body
    return script(*first, *defined, begin, behind)._replace(kept=kept)


def _shared(part: str) -> str:
    return lua(part, "pumpguard.counters.shared")


def _kind(kind: type[Counter]) -> str:
    """The Lua beside a kind's module, and the letter by which it registers."""
    package, _, name = kind.__module__.rpartition(".")
    return f"local KIND = '{letter(kind)}'\n{lua(name, package)}"
