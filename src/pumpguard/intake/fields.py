"""Values out of a request: one declared place each, and anything ambiguous about them refused.

Parsers differ about duplicate keys, encodings and trailing data. Where the guard and the app could
read two different numbers from the same bytes, the request is refused. What nobody reads may be as
it likes (`pumpguard.intake.decode`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, lru_cache
from json.scanner import make_scanner
from typing import Any, TypeAlias, cast

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.decode import (
    Constant,
    Values,
    ambiguous,
    malformed_json,
    multipart_fields,
    pairs,
    repeated,
    sound,
)

SOURCES = ("json", "form", "query", "path", "header", "cookie")
MAX_CACHED_READERS = 256
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORMS = (FORM, MULTIPART)
UNTYPED = ("", "text/plain")
"""What scripts say that do not want to ask the other origin first, or do not care."""

BOM = b"\xef\xbb\xbf"
UTF8, ASCII = ("utf-8", "utf8"), ("us-ascii", "ascii")

FieldReader: TypeAlias = "Callable[[Fields], object]"
"""Reads one field off a request: its value, or ``None`` where the request has none."""


def check_field(text: object, path: str) -> None:
    """Raise `PolicyError` unless this names a field: ``phone``, ``json:a.b``, ``query:x``."""
    right = isinstance(text, str) and text.strip() and text == text.strip()
    source, colon, name = str(text).partition(":")
    if not right or (colon and (source not in SOURCES or not name)):
        raise PolicyError(path, f"a field such as 'phone' or one of {SOURCES} with ':name'", text)


class Fields:
    """The values of one request, by declared field; also given to a policy's own functions."""

    def __init__(self, scope: Scope, body: bytes, parameters: Mapping[str, str]) -> None:
        self.scope = scope
        self.body = body
        self.parameters = parameters
        self._content_types: list[str] = []
        self._encodings: list[str] = []
        for name, value in scope["headers"]:
            if name == b"content-type":
                self._content_types.append(value.decode("latin-1"))
            elif name == b"content-encoding":
                self._encodings.append(value.decode("latin-1"))
        first = self._content_types[0] if self._content_types else ""
        self.media_type = first if first == JSON else first.partition(";")[0].strip().lower()
        """The body's type, lower case and without parameters."""
        self.is_json = (
            self.media_type == JSON
            or self.media_type.endswith("+json")
            or (self.media_type in UNTYPED and _looks_like_json(body))
        )

    def get(self, field: str) -> object:
        """The field's value, or ``None`` where the request has none. Raises `IntakeError`."""
        return _cached_reader(field)(self)

    def can_have(self, field: str) -> bool:
        """Whether this request can carry the field: a body may be neither JSON nor a form."""
        source, _ = _split(field)
        if self.is_json:
            return source != "form"
        return source not in ("", "json", "form") or (self.media_type in FORMS and source != "json")

    def header_lines(self, name: str) -> list[str]:
        """All lines of one header, in order. ``name`` is in lower case, as ASGI servers send it."""
        wanted = name.encode("latin-1")
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key == wanted]

    @cached_property
    def headers(self) -> Headers:
        return Headers(scope=self.scope)

    @cached_property
    def json(self) -> object:
        if not self.is_json:
            raise _unsupported(JSON)
        if self._encodings or self._content_types != [self.media_type]:
            self._check_encoding()
        return decode_json(self.body)

    @cached_property
    def form(self) -> Mapping[str, str]:
        if self.media_type not in FORMS:
            raise _unsupported(FORM)
        self._check_encoding()
        if self.media_type == MULTIPART:
            return multipart_fields(self.body, self._content_types[0])
        # To some parsers ";" ends a field; browsers always escape it.
        return pairs(self.body, "form field", semicolons=True)

    @cached_property
    def query(self) -> Mapping[str, str]:
        return pairs(self.scope.get("query_string", b""), "query parameter")

    @cached_property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """The cookies as names and values, in order; HTTP/2 spreads them over header lines."""
        parts = ";".join(self.header_lines("cookie")).split(";")
        return tuple(pair for part in parts for pair in cookie_parser(part).items())

    def _check_encoding(self) -> None:
        encodings = ",".join(self._encodings).lower().split(",")
        if not {encoding.strip() for encoding in encodings} <= {"", "identity"}:
            raise _unsupported("an unencoded body (no Content-Encoding)")
        if len(self._content_types) > 1:
            raise ambiguous("Content-Type header")
        for parameter in "".join(self._content_types).split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                charset = value.strip().strip('"').lower()
                if charset not in UTF8 and not (charset in ASCII and self.body.isascii()):
                    raise _unsupported("UTF-8")


def _looks_like_json(body: bytes) -> bool:
    """Whether a body that does not say what it is begins as an object or a list. An app that reads
    forms reads nothing out of it, one that reads JSON all."""
    return body[:64].removeprefix(BOM).lstrip(b" \t\r\n")[:1] in (b"{", b"[")


def field_reader(field: str | FieldReader, *, in_lists: bool = False) -> FieldReader:
    """How to read a declared field off any request; a function is its own reader.

    With ``in_lists``, a list on the way to a JSON value gives the list of what is in its items.
    Readers raise `IntakeError` for what is ambiguous or cannot be read.
    """
    if callable(field):
        return field
    source, name = _split(field)
    match source:
        case "form":
            return lambda fields: sound(fields.form.get(name))
        case "query":
            return lambda fields: sound(fields.query.get(name))
        case "path":
            return lambda fields: fields.parameters.get(name)
        case "header":
            lower = name.lower()
            return lambda fields: _only(fields.header_lines(lower), "header")
        case "cookie":
            return lambda fields: _only(
                {value for key, value in fields.cookies if key == name}, "cookie"
            )
    return _body_reader(name, only_json=source == "json", in_lists=in_lists)


_cached_reader = lru_cache(maxsize=MAX_CACHED_READERS)(field_reader)


def _body_reader(name: str, *, only_json: bool, in_lists: bool) -> FieldReader:
    """Reads a form's field called ``name``, or the JSON value at that dotted path."""
    path = name.split(".")

    def read(fields: Fields) -> object:
        if not only_json and not fields.is_json:
            if fields.media_type not in FORMS:
                raise _unsupported(f"{JSON} or {FORM}")
            return sound(fields.form.get(name))
        value = fields.json
        for key in path:
            if not isinstance(value, dict):
                return sound(_at(fields.json, path)) if in_lists else None
            value = value.get(key)
        return value if isinstance(value, str) and value.isascii() else sound(value)

    return read


def _at(value: object, path: Sequence[str]) -> object:
    """The value at a path of keys, or the list of those in the items of a list on the way."""
    for step, key in enumerate(path):
        if isinstance(value, list):
            return [_at(item, path[step:]) for item in value]
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def _split(field: str) -> tuple[str, str]:
    """The source and the name of a declared field; no source means the body."""
    source, colon, name = field.partition(":")
    return (source, name) if colon else ("", source)


def decode_json(body: bytes) -> object:
    """What ``json.loads`` makes of it, in UTF-8; objects with a repeated key are `Values`.

    A byte order mark is passed over, UTF-16 is not read. Raises `IntakeError`.
    """
    try:
        # json.loads(bytes) would accept UTF-16, which other parsers read otherwise.
        text = (body[3:] if body[:3] == BOM else body).decode("utf-8")
        if text[:1] == "{":  # as nearly all: without the search for white space
            value, end = SCAN(text, 0)
            if end == len(text):
                return value
        return DECODER.decode(text)
    except (ValueError, RecursionError, StopIteration):
        raise malformed_json() from None


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) == len(members):
        return found
    return Values(members, repeated([name for name, _ in members]), "JSON key")


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=Constant)
SCAN: Any = make_scanner(cast(Any, DECODER))


def _only(values: Collection[str], what: str) -> str | None:
    if len(values) > 1:
        raise ambiguous(what)
    return next(iter(values), None)


def _unsupported(expected: str) -> IntakeError:
    detail = f"This endpoint reads {expected}."
    return IntakeError(415, "unsupported-body", "Unsupported request body", detail)
