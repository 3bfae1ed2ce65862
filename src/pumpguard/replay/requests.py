"""Requests of an access log as entries: what was asked for, and from where, but for no number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pumpguard.intake.routes import Routes
from pumpguard.replay.entry import Entry, Parser
from pumpguard.replay.read import Row

NO_NUMBER = ""
"""The number of an entry that is a request."""

FEW = 1_000
"""Paths that are remembered, to be named where none is the one that sends."""


@dataclass
class Sending:
    """The routes that send a message, and those where codes are entered."""

    send: Routes
    verify: Routes | None = None

    @classmethod
    def of(cls, send: str | Sequence[str], verify: str | Sequence[str] | None) -> Sending:
        """Raises `PolicyError`."""
        entered = None if verify is None else Routes(verify, "verify")
        return cls(Routes(send, "--route", but=entered), entered)


@dataclass
class RequestParser(Parser):
    """Makes entries of requests to routes that send; counts all others."""

    sending: Sending = field(kw_only=True)
    paths: Counter[str] = field(default_factory=Counter)
    """Of other requests, but for those that HTTP calls safe."""

    def entries(self, row: Row) -> Iterator[Entry]:
        """That of a row, if it asks to send. Raises `ValueError` with the reason if it has none."""
        method, path = self._asked(row)
        status, scope = self.columns.of(row, "status"), {"method": method, "path": path}
        if self.sending.verify is not None and self.sending.verify.match(scope) is not None:
            self.said["requests to enter a code, which say an address and no number: not used"] += 1
        elif self.sending.send.match(scope) is None:
            self.said["requests to other routes"] += 1
            if method not in ("GET", "HEAD", "OPTIONS") and len(self.paths) < FEW:
                self.paths[f"{method} {path}"] += 1
        else:
            of = self.columns.of
            sent = status[:1] not in ("4", "5")
            if not sent:
                self.said["requests to send that were answered as errors: nothing was sent"] += 1
            yield Entry(
                self._at(row), NO_NUMBER, self._address(of(row, "address")),
                of(row, "session") or None, self._price(row), sent,
            )  # fmt: skip

    def _asked(self, row: Row) -> tuple[str, str]:
        """The method and the path, as an app sees it."""
        of = self.columns.of
        method, path = of(row, "method"), of(row, "path")
        if not path:
            method, _, path = of(row, "request").partition(" ")
            path = path.rpartition(" ")[0] or path
        try:
            path = unquote(urlsplit(path).path if "://" in path else path.partition("?")[0])
        except ValueError:
            path = ""
        if not path.startswith("/"):
            raise ValueError("a request without a path")
        if not method:
            self.said["requests without a method, taken as POST"] += 1
        return method.upper() or "POST", path


def nothing_sends(parsers: Sequence[Parser]) -> str:
    """What a log should have that has no request to send: its other routes, the busiest first."""
    paths: Counter[str] = sum((p.paths for p in parsers if isinstance(p, RequestParser)), Counter())
    busiest = ", ".join(path for path, _ in paths.most_common(5))
    return f"a request to a route that sends; --route names it{busiest and f': one of {busiest}?'}"
