"""Checks values against the annotations of a frozen dataclass, and builds one from a table.

Every mistake is a `PolicyError` that names the exact path and what was expected there, because a
policy that silently means something else is worse than none.
"""

from __future__ import annotations

import difflib
import sys
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import MISSING, fields
from functools import cache
from importlib import import_module
from inspect import iscoroutinefunction, signature
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from pumpguard.errors import PolicyError

T = TypeVar("T")

NAMES = {
    str: "text", int: "a whole number", float: "a number", bool: "true or false",
    type(None): "nothing",
}  # fmt: skip


def build(cls: type[T], table: Mapping[str, object], path: str = "") -> T:
    """Make ``cls`` from a table such as TOML gives; unknown names are refused, and missing ones."""
    check_names(cls, table, path)
    hints: dict[str, Any] = _hints(cls)  # type: ignore[arg-type]
    for field in fields(cls):  # type: ignore[arg-type]
        optional = field.default is not MISSING or field.default_factory is not MISSING
        if field.init and not optional and field.name not in table:
            raise PolicyError(join(path, field.name), describe(hints[field.name]))
    return cls(**table)


def check_names(cls: Any, table: Iterable[str], path: str = "") -> None:
    """Raise `PolicyError` for a name that is no setting of ``cls``."""
    known = [field.name for field in fields(cls) if field.init]
    for name in table:
        if name not in known:
            raise PolicyError(join(path, name), one_of(name, known), name)


def check(obj: Any, path: str = "") -> None:
    """Check every field of a dataclass instance against its annotation; lists become tuples."""
    for name, hint in _hints(obj.__class__).items():
        value = _frozen(getattr(obj, name))
        object.__setattr__(obj, name, value)
        if not _fits(value, hint):
            raise PolicyError(join(path, name), describe(hint), value)


def require(right: object, path: str, expected: str, got: object = ...) -> None:
    """Raise `PolicyError` unless a value is right."""
    if not right:
        raise PolicyError(path, expected, got)


def join(path: str, name: str) -> str:
    """A path and one step below it."""
    return f"{path}.{name}" if path else name


def describe(hint: Any) -> str:
    """An annotation in words for people."""
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(describe, args))
    if origin is Literal:
        return "one of " + ", ".join(map(repr, args))
    if origin is Sequence:
        return f"a list of {describe(args[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"a table of {describe(args[1])}"
    return NAMES.get(hint, getattr(hint, "__name__", str(hint)))


def _fits(value: object, hint: Any) -> bool:
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any or hint is object:
        return True
    if origin in (Union, types.UnionType):
        return any(_fits(value, arg) for arg in args)
    if origin is Literal:
        return value in args and isinstance(value, str)
    if origin is Sequence:
        return isinstance(value, tuple) and all(_fits(item, args[0]) for item in value)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(_fits(item, args[1]) for item in value.values())
    if hint in (int, float):  # a whole number is a number, and a truth value is neither
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    if origin is not None:  # a callable or a protocol with arguments
        return callable(value)
    return isinstance(value, hint)


@cache
def _hints(cls: Any) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls) if field.init}


def _frozen(value: object) -> object:
    """Lists become tuples, so that what was checked cannot change later."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return tuple(_frozen(item) for item in value)
    return value


def one_of(name: str, known: Sequence[str]) -> str:
    """What was expected in place of ``name``, with the nearest of them."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"one of {', '.join(sorted(known))}{hint}"


PARTS = {
    "networks": ("country", "kind"),
    "challenge": ("solved", "pose", "aclose", "carried_in", "longest", "lifetime"),
    "score": ("score", "aclose"),
    "store": ("decide", "redeem", "settle", "remember", "recall", "overrides", "aclose"),
}
"""What a guard asks of the objects that it is given."""


def require_parts(**given: object) -> None:
    """Raise `PolicyError` for an object that lacks something, or is a class and no instance."""
    for path, value in given.items():
        if value is not None:
            names = PARTS[path]
            right = not isinstance(value, type) and all(hasattr(value, name) for name in names)
            require(right, path, f"an object (no class) with {', '.join(names)}", value)


def require_plain(arguments: int = 1, /, **given: object) -> None:
    """Raise `PolicyError` for a coroutine function, or an object that is called as one, and for one
    that cannot be called with so many arguments."""
    for path, value in given.items():
        if callable(value):
            s = "s" * (arguments > 1)
            require_arguments(path, value, arguments, f"a function of {arguments} argument{s}")
        awaited = any(map(iscoroutinefunction, (value, type(value).__call__)))
        require(not awaited, path, "a plain function: nobody would await it", value)


def require_app(app: Any, arguments: int, expected: str) -> None:
    """Raise `PolicyError` for an app that cannot be called with so many arguments."""
    require(callable(app), "app", expected, app)
    require_arguments("app", app, arguments, expected)


def require_arguments(path: str, function: Any, arguments: int, expected: str) -> None:
    """Raise `PolicyError` for what is given and cannot be called with so many arguments."""
    try:
        if function is not None:
            signature(function).bind(*range(arguments))
    except TypeError:
        raise PolicyError(path, expected, function) from None
    except ValueError:  # written in C, it does not say
        return


@contextmanager
def importable(folder: Path) -> Iterator[None]:
    """While a policy is read, modules that it names are also looked for in its file's folder; last,
    so that they hide no other."""
    sys.path.append(entry := str(folder.resolve()))
    try:
        yield
    finally:
        sys.path.remove(entry)


def imported(name: str, path: str) -> object:
    """What ``"module:Class"`` names; raises `PolicyError` where there is no such thing."""
    module, _, attribute = name.partition(":")
    try:
        return getattr(import_module(module), attribute)
    except AttributeError:
        raise PolicyError(path, f"a class of the module {module}", name) from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise PolicyError(path, f"a module that can be imported ({reason})", name) from error
