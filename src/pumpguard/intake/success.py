"""Whether an answer says that a code was right: ``verified_when`` of a policy.

One or several texts, any of which is enough: ``"2xx"``, ``303`` or ``"200-204"`` (the status),
``"location:/home"`` (a redirect; ``/home*``: to what begins so), ``"header:x-ok == 1"`` and
``"json:data.valid == true"`` (a value in an answer below 400). Or a function of the status, the
headers (a `starlette.datastructures.Headers`) and the body, which is `bytes`.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import Message, Send

from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.fields import decode_json

LONGEST = 65_536
"""Bytes of an answer that are kept to look at."""

GZIP, GZIP_WINDOW = ("gzip", "x-gzip"), 31
"""How it is called, and how zlib is told that a body is it."""

DEFAULT = "2xx"
ERROR = 400

Success: TypeAlias = Callable[[int, Headers, bytes], bool]

STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?\Z", re.IGNORECASE)
VALUE = re.compile(r"(json|header):\s*([^\s=]+)\s*==\s*(.+)\Z")
EXPECTED = "a status such as 303 or '2xx', 'json:valid == true', 'header:x-ok == 1', "
EXPECTED += "'location:/home', several of these, or a function of status, headers and body"


class Answer:
    """A ``send`` that keeps a copy of the answer passing through it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._room = LONGEST
        self._chunks: list[bytes] = []
        self.status: int | None = None
        self.headers = Headers()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = Headers(raw=list(message.get("headers", ())))
        elif message["type"] == "http.response.body" and self._room >= 0:
            chunk = message.get("body", b"")
            self._room -= len(chunk)
            self._chunks.append(chunk)
        await self._send(message)

    @property
    def encoding(self) -> str:
        """The body's ``Content-Encoding``; empty for none."""
        return self.headers.get("content-encoding", "").strip().lower().removeprefix("identity")

    @property
    def body(self) -> bytes:
        """The body, or nothing if it is too long to be looked at, or encoded otherwise than with
        gzip."""
        body = b"".join(self._chunks) if self._room >= 0 else b""
        return _inflated(body) if self.encoding in GZIP else b"" if self.encoding else body


def _inflated(body: bytes) -> bytes:
    """What was compressed with gzip, if it is whole and no longer than what is looked at."""
    inflating = zlib.decompressobj(wbits=GZIP_WINDOW)
    try:
        found = inflating.decompress(body, LONGEST)
    except zlib.error:
        return b""
    return found if inflating.eof else b""


def success_when(when: object, where: str = "verified_when") -> Success:
    """What decides whether an answer says that a code was right. Raises `PolicyError`."""
    if callable(when):
        return when
    several = isinstance(when, Sequence) and not isinstance(when, str | bytes)
    texts: Sequence[Any] = when if several else (DEFAULT if when is None else when,)  # type: ignore[assignment]
    if not texts:
        raise PolicyError(where, EXPECTED, when)
    tests = [_test(text, where) for text in texts]
    return lambda status, headers, body: any(test(status, headers, body) for test in tests)


def value_at(body: bytes, path: Sequence[str]) -> object:
    """The value at a path in a JSON body, or ``None``."""
    try:
        value = decode_json(body)
    except IntakeError:
        return None
    for key in path:
        if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict):
            value = value.get(key)
        else:
            return None
    return value


def _test(text: object, where: str) -> Success:
    if isinstance(text, bool) or not isinstance(text, str | int):
        raise PolicyError(where, EXPECTED, text)
    found = STATUS.match(str(text))
    if found is not None:
        first = int(found[1]) * 100 if found[1] else int(found[2])
        last = first + 99 if found[1] else int(found[3] or first)
        return lambda status, headers, body: first <= status <= last
    if str(text).startswith("location:"):
        return _redirect(str(text).removeprefix("location:").strip())
    value = VALUE.match(str(text))
    if value is None:
        raise PolicyError(where, EXPECTED, text)
    source, name, wanted = value.groups()
    if source == "header":
        expected = wanted.strip("'\"")
        return lambda status, headers, body: status < ERROR and headers.get(name) == expected
    try:
        literal = json.loads(wanted.replace("'", '"'))
    except ValueError:
        literal = wanted
    path = name.split(".")
    return lambda status, headers, body: status < ERROR and _same(value_at(body, path), literal)


def _same(found: object, wanted: object) -> bool:
    """Whether two JSON values are equal; to Python, True is 1."""
    return type(found) is type(wanted) and found == wanted


def _redirect(wanted: str) -> Success:
    start = wanted.removesuffix("*")

    def test(status: int, headers: Headers, body: bytes) -> bool:
        target = headers.get("location", "")
        path = target if "://" in wanted or "?" in wanted else urlsplit(target).path
        same = path.startswith(start) if start != wanted else path == wanted
        return 300 <= status < ERROR and same

    return test
