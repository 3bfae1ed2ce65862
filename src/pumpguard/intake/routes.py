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

NO_PATH = re.compile(r"[<>|^\\\"`]|%[0-9a-fA-F]{2}")
"""What no request's path has, or only where servers have decoded it: patterns of other routers."""

METHODS = SAFE_METHODS | {"CONNECT", "DELETE", "PATCH", "POST", "PUT", "QUERY"}
ANY, REST = "*", "**"
"""One segment, whatever it is; and any number of them at the end, also none."""

LIKE = "such as '/otp/send', 'POST /otp/{phone}', '/otp/*' (one segment) or '/otp/**' (all below)"

NORMAL = re.compile(r"(?:/[^/.][^/]*)+\Z")
"""Paths with one spelling, as nearly all are: no segment is empty or begins with a dot."""


@dataclass(frozen=True, slots=True)
class Route:
    """One guarded route: a pattern over path segments, and its methods; ``None`` for all but those
    that HTTP calls safe, so that a new method is guarded rather than forgotten."""

    pattern: re.Pattern[str]
    methods: frozenset[str] | None
    text: str = ""
    literal: bool = True
    """Whether it has neither parameters nor wildcards."""

    def guards(self, method: str) -> bool:
        """Whether requests with this method are meant."""
        if self.methods is None:
            return method not in SAFE_METHODS
        return method.upper() in self.methods  # methods have a case; not every framework minds it

    def resembles(self, path: str) -> bool:
        """Whether the path ends in what this literal route says, as behind a prefix or a mount."""
        ending = normal(self.text.split()[-1]).lower()
        return self.literal and ending != "/" and normal(path).lower().endswith(ending)

    @property
    def shape(self) -> tuple[str, frozenset[str] | None]:
        """What it matches, whatever its case and the names of its parameters."""
        return re.sub(r"\?P<\w+>", "", self.pattern.pattern).lower(), self.methods


class Routes:
    """The guarded routes of a policy.

    ``but`` are routes of another kind: a request that names one of them letter by letter is not
    meant by a wildcard or parameter here. ``unmet`` has the routes that no request has met yet.
    """

    def __init__(
        self, send: str | Sequence[str], where: str = "send", but: Routes | None = None
    ) -> None:
        texts = (send,) if isinstance(send, str) else send
        if not texts:
            raise PolicyError(where, "at least one route, such as '/otp/send'", send)
        self.routes = tuple(parse(text, where) for text in texts)
        shapes = [route.shape for route in self.routes]
        for i, shape in enumerate(shapes):
            if shape in shapes[:i]:
                raise PolicyError(f"{where}.{i}", "a route that stands there once", texts[i])
        self.where = where
        self.unmet = set(self.routes)
        self._but = () if but is None else tuple(route for route in but.routes if route.literal)

    def match(self, scope: Scope) -> Mapping[str, str] | None:
        """The path's parameters (often none) if the request is guarded, else ``None``."""
        method, path, root = scope["method"], scope["path"], scope.get("root_path", "")
        paths = (path,) if NORMAL.match(path) and not root else spellings(path, root)
        for path in paths:
            for route in self.routes:
                found = route.pattern.match(path)
                if found is None or not route.guards(method):
                    continue
                if self._but and not route.literal and self._is_other(method, scope["path"], root):
                    continue
                if self.unmet:
                    self.unmet.discard(route)
                return found.groupdict()
        return None

    def shares(self, others: Routes) -> bool:
        """Whether a route stands in both."""
        return not {route.shape for route in self.routes}.isdisjoint(
            route.shape for route in others.routes
        )

    def names(self, path: str) -> bool:
        """Whether a route has this path, whatever the method."""
        return any(route.pattern.match(normal(path)) for route in self.routes)

    def _is_other(self, method: str, path: str, root: str) -> bool:
        """Whether a route of the other kind is spelt exactly so: to a router that minds case and
        dots, another spelling may be a parameter of ours."""
        named = [normal(each.text.split()[-1]) for each in self._but if each.guards(method)]
        return path in named or path.removeprefix(root) in named


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
    """Read ``"/otp/send"``, ``"GET,POST /otp/{phone}/send"``, ``"/otp/*"`` or ``"/otp/**"``. Raises
    `PolicyError` for what no request could ever match."""
    found = ROUTE.match(text)
    if found is None or NO_PATH.search(found["path"]):
        raise PolicyError(where, f"a route {LIKE}", text)
    methods = frozenset(found["methods"].split(",")) if found["methods"] else None
    if methods and not methods <= METHODS:
        raise PolicyError(where, "methods of HTTP, or none for all that may change something", text)
    if methods and "GET" in methods:
        methods |= {"HEAD"}  # routers answer HEAD by running the GET endpoint
    segments = normal(found["path"]).split("/")[1:]
    rest = "(?:/.*)?" if segments[-1] == REST else ""
    parts = [_segment(part, text, where) for part in (segments[:-1] if rest else segments)]
    parameters = [part for part in parts if part.startswith("(")]
    if len(set(parameters)) < len(parameters):
        raise PolicyError(where, "parameters with names of their own", text)
    # Case is folded, and "$" lets a line break follow as in starlette's own patterns: a router that
    # is as lax must not be a way around.
    pattern = "".join(f"/{part}" for part in parts) + rest + "$"
    flags = re.IGNORECASE | re.DOTALL
    literal = not rest and not parameters and ANY not in segments
    return Route(re.compile(pattern, flags), methods, text.strip(), literal)


def _segment(part: str, text: str, where: str) -> str:
    parameter = PARAMETER.match(part)
    if parameter:
        return f"(?P<{parameter[1]}>[^/]+)"
    if part == ANY:
        return "[^/]+"
    if ANY in part or part.startswith(":") or "{" in part or "}" in part:
        expected = "parameters and '*' that fill a whole segment, such as '/{phone}/', and '**' "
        raise PolicyError(where, f"{expected}at the end alone: a route {LIKE}", text)
    return re.escape(part)
