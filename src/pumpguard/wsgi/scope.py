"""A WSGI environment as an ASGI scope, and back."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from starlette.types import Scope

from pumpguard.shadow.current import IN_SCOPE

if TYPE_CHECKING:
    from _typeshed.wsgi import InputStream, WSGIEnvironment

BODY_HEADERS = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}
HTTP = "HTTP_"

RawHeaders = Iterable[tuple[bytes, bytes]]


def scope_of(environ: WSGIEnvironment) -> Scope:
    """The scope of this request. Text in an environment is bytes read as latin-1 (PEP 3333)."""
    root = _text(environ.get("SCRIPT_NAME", ""))
    client, port = environ.get("REMOTE_ADDR", ""), environ.get("REMOTE_PORT") or 0
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": environ.get("SERVER_PROTOCOL", "HTTP/1.1").partition("/")[2],
        "method": environ["REQUEST_METHOD"],
        "scheme": environ.get("wsgi.url_scheme", "http"),
        "path": root + _text(environ.get("PATH_INFO", "")),
        "root_path": root,
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "headers": list(_headers(environ)),
        # None where the server's peer has no address: a Unix socket.
        "client": (client, int(port)) if client else None,
        "server": (environ.get("SERVER_NAME", ""), int(environ.get("SERVER_PORT") or 0)),
        IN_SCOPE: environ.get(IN_SCOPE),
    }


def environ_of(
    environ: WSGIEnvironment, scope: Scope, body: bytes, *, whole: bool
) -> WSGIEnvironment:
    """The environment for the app: with this body, or the beginning of it, and with the method and
    the headers of the scope where the middleware asks something of its own."""
    made = {**environ, "REQUEST_METHOD": scope["method"], IN_SCOPE: scope.get(IN_SCOPE)}
    if scope["method"] != environ["REQUEST_METHOD"]:
        made = {name: value for name, value in made.items() if not _is_header(name)}
        made |= {_name(name): value.decode("latin-1") for name, value in scope["headers"]}
        made["wsgi.input"] = io.BytesIO()
    elif whole:
        # Django reads as much as is announced, and nothing of a body that came in chunks.
        made |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    else:
        made["wsgi.input"] = io.BufferedReader(_Rest(body, environ["wsgi.input"]))
    return made


class _Rest(io.RawIOBase):
    """A body of which the beginning was read already."""

    def __init__(self, head: bytes, stream: InputStream) -> None:
        self._head = head
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        read = self._head[:size] or self._stream.read(size)
        self._head = self._head[size:]
        buffer[: len(read)] = read
        return len(read)


def _headers(environ: WSGIEnvironment) -> RawHeaders:
    for name, value in environ.items():
        if name.startswith(HTTP):
            lower = name[len(HTTP) :].replace("_", "-").lower()
            yield lower.encode("latin-1"), value.encode("latin-1")
        elif value and name in BODY_HEADERS:
            yield BODY_HEADERS[name], value.encode("latin-1")


def _is_header(name: str) -> bool:
    return name.startswith(HTTP) or name in BODY_HEADERS


def _name(header: bytes) -> str:
    return HTTP + header.decode("latin-1").upper().replace("-", "_")


def _text(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")
