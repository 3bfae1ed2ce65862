"""What has passed a guard unseen: is there a route that it should have met?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from pumpguard.notices import Notices

if TYPE_CHECKING:
    from starlette.types import Scope

OTHERS = 100
"""Requests that pass unguarded before it is said that a route has met none."""

SHOWN = 100
"""Characters of a path."""

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")
"""A form is often shown by one of these where another one sends it."""


class Route(Protocol):
    """A guarded route, as far as it matters here."""

    @property
    def text(self) -> str: ...

    def guards(self, method: str) -> bool: ...

    def resembles(self, path: str) -> bool: ...


class Unguarded:
    """Counts requests that pass unguarded, as long as a route has met none."""

    def __init__(self, notices: Notices, counts: Counter[str]) -> None:
        self._notices, self._counts = notices, counts
        self._missed: Counter[str] = Counter()

    def passed(self, scope: Scope, where: str, unmet: Iterable[Route]) -> None:
        """A request passed unguarded while these routes of a setting have met none."""
        method, path = scope["method"], scope["path"]
        for route in unmet:
            alike = route.resembles(path)
            if not route.guards(method) and (method in SAFE_METHODS or not alike):
                continue
            self._missed[route.text] += 1
            if alike or self._missed[route.text] >= OTHERS:
                self._notices.say(
                    "PG070", route.text,
                    "%s=%r matched none of %d requests, which passed unguarded%s; name the whole "
                    "path, with prefixes and mounts, and its method or none",
                    where, route.text, self._missed[route.text],
                    f" ({method} {path[:SHOWN]!r})" if alike else "",
                )  # fmt: skip

    def websocket(self, path: str) -> None:
        """A websocket was opened on a guarded path, and where only wrapped senders are guarded."""
        self._counts["websockets"] += 1
        self._notices.say(
            "PG077", "websocket",
            "a websocket on the guarded path %r passes: its messages are decided about only where "
            "a function wrapped with pumpguard.sender sends them",
            path[:SHOWN],
        )  # fmt: skip
