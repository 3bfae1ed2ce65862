"""The peers, each as cheap as its documentation allows, keyed by the client's address.

None of them reads the body, parses the phone or looks up a country, so the comparison favours
them. Only those that are installed are listed.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from .. import Variant

ADAPTERS = {
    "slowapi": "slowapi",
    "fastapi_limiter": "fastapi_limiter",
    "limits": "limits",
    "throttled": "throttled_py",
    "ratelimit": "asgi_ratelimit",
    "guard": "fastapi_guard",
}
"""A package's import name, and the module here that adapts it."""

EIGHT = (60, 300, 600, 1_800, 3_600, 21_600, 86_400, 604_800)
"""The windows, in seconds, of eight limits."""


def spans(limits: int) -> tuple[int, ...]:
    """The windows of so many limits; of one, an hour."""
    return EIGHT if limits == len(EIGHT) else (3_600,)


def installed_peers() -> tuple[Variant, ...]:
    """The variants of every peer at hand."""
    found: list[Variant] = []
    for package, adapter in ADAPTERS.items():
        if find_spec(package) is not None:
            found += import_module(f"{__name__}.{adapter}").VARIANTS
    return tuple(found)
