"""One server: its address from a URL, how a socket to it is opened, and the login."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from ssl import SSLContext
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from redis.asyncio.connection import SSLConnection, parse_url
from redis.exceptions import AuthenticationError, RedisError

from pumpguard.errors import PolicyError
from pumpguard.store.scripts import Word
from pumpguard.store.transport.calls import ErrorReply

KNOWN = {"connection_class", "host", "port", "path", "db", "username", "password"}
URL = (
    "redis://host:6379/0, rediss://…, unix:///…, redis+sentinel://…, redis+cluster://… or memory://"
)
KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""Seconds until an idle connection is probed, seconds between probes, and probes without an answer
until it is closed. Firewalls drop idle connections and tell nobody."""


class Deadlines(NamedTuple):
    """Seconds per call, and to connect: an attempt begun anew every 50 ms would never get through a
    slow resolver and a TLS handshake."""

    call: float
    connect: float = 1.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server: an address or the ``path`` of a Unix socket, the database and the login."""

    host: str = "localhost"
    port: int = 6379
    path: str | None = None
    db: int = 0
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    tls: SSLContext | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Endpoint:
        """That of a ``redis://``, ``rediss://`` or ``unix://`` URL. Raises `PolicyError`."""
        try:
            parts: dict[str, Any] = dict(parse_url(url))
            tls = _tls(parts)
        except (ValueError, OSError, RedisError) as error:
            # The error's text may repeat the URL, and with it a password.
            raise PolicyError("store", f"{URL} ({type(error).__name__})") from None
        if "path" not in parts and "db" not in parts and urlsplit(url).path.strip("/"):
            raise PolicyError("store", "a database number after the address")
        unknown = {name for name in parts if name not in KNOWN and not name.startswith("ssl_")}
        if unknown:
            raise PolicyError("store", "a Redis URL without client options", sorted(unknown))
        fields = {name: parts[name] for name in KNOWN & parts.keys() if name != "connection_class"}
        return cls(**fields, tls=tls)

    @property
    def where(self) -> str:
        """The address for people to read; it never holds a password."""
        return self.path or f"{self.host}:{self.port}"

    def greetings(self) -> list[tuple[Word, ...]]:
        """The commands that come first on every connection."""
        greetings: list[tuple[Word, ...]] = []
        if self.password is not None:
            user = (self.username,) if self.username else ()
            greetings.append(("AUTH", *user, self.password))
        if self.db:
            greetings.append(("SELECT", self.db))
        return greetings

    async def connect(self, protocol: asyncio.Protocol) -> None:
        """Open a transport for the protocol. Raises `OSError` and what resolvers raise."""
        loop = asyncio.get_running_loop()
        if self.path is not None:
            await loop.create_unix_connection(lambda: protocol, self.path)
            return
        transport, _ = await loop.create_connection(
            lambda: protocol, self.host, self.port, ssl=self.tls
        )
        wire = transport.get_extra_info("socket")
        wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in KEEPALIVE.items():
            if hasattr(socket, option):  # not on every system
                wire.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def check_greetings(greetings: Sequence[tuple[Word, ...]], outcomes: Sequence[Any]) -> None:
    """Raise the first error among the replies to an endpoint's greetings."""
    for (verb, *_), outcome in zip(greetings, outcomes, strict=True):
        if isinstance(outcome, ErrorReply) and verb == "AUTH":
            # Servers that know no AUTH repeat the password in their complaint.
            code = str(outcome).partition(" ")[0]
            raise ErrorReply(AuthenticationError(code), f"{code} in reply to AUTH")
        if isinstance(outcome, BaseException):
            raise outcome


def _tls(parts: dict[str, Any]) -> SSLContext | None:
    if parts.get("connection_class") is not SSLConnection:
        return None
    wanted = {name: value for name, value in parts.items() if name.startswith("ssl_")}
    return SSLConnection(**wanted).ssl_context.get()
