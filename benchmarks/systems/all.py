"""The register of everything that can be measured."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from . import Variant
from .app import BARE
from .ours import FLOODED, OURS
from .peers import installed_peers


@cache
def variants() -> dict[str, Variant]:
    """Every variant by name, the bare app first."""
    return {each.name: each for each in (BARE, *OURS, *_floor(), *installed_peers())}


def named(name: str) -> Variant:
    """One of them, or the one for floods."""
    return FLOODED if name == FLOODED.name else variants()[name]


def _floor() -> tuple[Variant, ...]:
    """The floor, where its JSON parser is installed."""
    if find_spec("orjson") is None:
        return ()
    from ..floor import FLOOR

    return (FLOOR,)
