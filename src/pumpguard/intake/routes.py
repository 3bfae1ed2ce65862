"""Which requests are guarded: matched as routers do, however the path is spelt."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.types import Scope

from pumpguard.errors import PolicyError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
ROUTE = re.compile(r"\s*(?:(?P<methods>[A-Z]+(,[A-Z]+)*)\s+)?(?P<path>/[^\s?#]*)\s*\Z")
PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}\Z")

NORMAL = re.compile(r"(?:/[^/.][^/]*)+\Z")
"""Paths with one spelling, as nearly all are: no segment is empty or begins with a dot."""


@dataclass(frozen=True, slots=True)
class Route:
    """One guarded route: a pattern over path segments, and its methods; ``None`` for all but those
    that HTTP calls safe, so that a new method is guarded rather than forgotten."""

    pattern: re.Pattern[str]
    methods: frozenset[str] | None

    @property
    def shape(self) -> tuple[str, frozenset[str] | None]:
        """What it matches, whatever its case and the names of its parameters."""
        return re.sub(r"\?P<\w+>", "", self.pattern.pattern).lower(), self.methods


class Routes:
    """The guarded routes of a policy."""

    def __init__(self, send: str | Sequence[str], where: str = "send") -> None:
        texts = (send,) if isinstance(send, str) else send
        if not texts:
            raise PolicyError(where, "at least one route, such as '/otp/send'", send)
        self.routes = tuple(parse(text, where) for text in texts)
        shapes = [route.shape for route in self.routes]
        for i, shape in enumerate(shapes):
            if shape in shapes[:i]:
                raise PolicyError(f"{where}.{i}", "a route that stands there once", texts[i])

    def match(self, scope: Scope) -> Mapping[str, str] | None:
        """The path's parameters (often none) if the request is guarded, else ``None``."""
        method, path, root = scope["method"], scope["path"], scope.get("root_path", "")
        paths = (path,) if NORMAL.match(path) and not root else spellings(path, root)
        for path in paths:
            for route in self.routes:
                found = route.pattern.match(path)
                if found is None:
                    continue
                if route.methods is None:
                    guarded = method not in SAFE_METHODS
                else:  # methods have a case, but not every framework minds it
                    guarded = method.upper() in route.methods
                if guarded:
                    return found.groupdict()
        return None


def spellings(path: str, root: str) -> list[str]:
    """The paths that a router may see: as it came, normalised, and both without the root path.

    As it came, because to ``/{tenant}/send`` the path ``/../send`` is a tenant called ``..``.
    Without the root, because an app that is mounted, or served under a root path, matches the rest.
    """
    normalised = normal(path)
    found = [path] if normalised == path else [path, normalised]
    if root:
        found += [path.removeprefix(root), normalised.removeprefix(normal(root)) or "/"]
    return found


def normal(path: str) -> str:
    """One spelling per path: no empty, ``.`` or ``..`` segments, no trailing slash. ASGI servers
    have decoded percent-escapes already. A router that is stricter answers some guarded requests
    with 404; none that is laxer lets a request around the guard."""
    if NORMAL.match(path):
        return path
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    return "/" + "/".join(kept)


def parse(text: str, where: str = "send") -> Route:
    """Read ``"/otp/send"`` or ``"GET,POST /otp/{phone}/send"``. Raises `PolicyError`."""
    found = ROUTE.match(text)
    if found is None:
        raise PolicyError(where, "a route such as '/otp/send' or 'POST /otp/{phone}'", text)
    methods = frozenset(found["methods"].split(",")) if found["methods"] else None
    if methods and "GET" in methods:
        methods |= {"HEAD"}  # routers answer HEAD by running the GET endpoint
    parts = [_segment(part, text, where) for part in normal(found["path"]).split("/")[1:]]
    parameters = [part for part in parts if part.startswith("(")]
    if len(set(parameters)) < len(parameters):
        raise PolicyError(where, "parameters with names of their own", text)
    # Case is folded, and "$" lets a line break follow as in starlette's own patterns: a router that
    # is as lax must not be a way around.
    return Route(re.compile("/" + "/".join(parts) + "$", re.IGNORECASE), methods)


def _segment(part: str, text: str, where: str) -> str:
    parameter = PARAMETER.match(part)
    if parameter:
        return f"(?P<{parameter[1]}>[^/]+)"
    if "{" in part or "}" in part:
        raise PolicyError(where, "parameters that fill a whole segment, such as '/{phone}/'", text)
    return re.escape(part)
