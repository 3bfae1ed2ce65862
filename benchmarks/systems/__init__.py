"""Everything that is measured: the bare app, pumpguard, the hand-written floor, and the peers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Literal, TypeAlias

from starlette.types import ASGIApp

PLENTY = 10**9
"""A limit that no benchmark reaches."""

Build: TypeAlias = Callable[[str, AsyncExitStack, int], Awaitable[ASGIApp]]
"""Makes an app from the server's URL; what it opens, it leaves on the stack to be closed. The last
argument is how many requests a peer's limits admit."""

Kind = Literal["bare", "ours", "floor", "peer"]


@dataclass(frozen=True, slots=True)
class Variant:
    """One system: what it is called, how it is built, what it does and what it does not do."""

    name: str
    title: str
    kind: Kind
    limits: int
    build: Build
    note: str = ""
    family: str = ""
    patient: bool = True
    """Whether it waits for Redis without blocking the event loop."""
