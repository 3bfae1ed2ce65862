"""How the parts of a document of overrides are stored: as tables, without defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any, TypeAlias, TypeVar

from pumpguard.config import build, check, join
from pumpguard.errors import OverrideError, PolicyError
from pumpguard.overrides.lists import Listing
from pumpguard.overrides.posture import Posture, PostureOverride, Step
from pumpguard.overrides.standing import Expectation, Monitoring, Order

T = TypeVar("T")

Part: TypeAlias = PostureOverride | Step | Listing | Expectation | Monitoring | Order


def table_of(part: Part) -> dict[str, Any]:
    """A part with its postures by name."""
    return {name: str(v) if isinstance(v, Posture) else v for name, v in asdict(part).items()}


def stored(part: Part) -> dict[str, Any]:
    """A part as it is stored, without defaults."""
    defaults = {field.name: field.default for field in fields(part)}
    return {name: v for name, v in table_of(part).items() if getattr(part, name) != defaults[name]}


def parsed(cls: type[T], value: object, path: str) -> T:
    """A part from a table. Raises `OverrideError`."""
    table = dict(mapping(value, path))
    for name in ("posture", "then"):
        if name in table:
            table[name] = posture_named(table[name], join(path, name))
    try:
        part = build(cls, table, path)
        check(part, path)
    except PolicyError as error:
        raise OverrideError(error.path, error.expected, error.got) from None
    return part


def posture_named(name: object, path: str) -> Posture:
    """A posture by its name. Raises `OverrideError` with this path."""
    for posture in Posture:
        if str(posture) == name:
            return posture
    raise OverrideError(path, f"one of {', '.join(map(str, Posture))}", name)


def mapping(value: object, path: str) -> Mapping[str, Any]:
    """A table, or `OverrideError` with this path."""
    if not isinstance(value, dict):
        raise OverrideError(path, "a table", value)
    return value
