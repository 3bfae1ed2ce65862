"""Values out of a request: one declared place each, and anything ambiguous refused.

Parsers differ about duplicate keys, encodings and trailing data. Where the guard and the app could
read two different numbers from the same bytes, the request is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from functools import cached_property, lru_cache
from typing import Any, Never, TypeAlias
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from pumpguard.errors import IntakeError, PolicyError

SOURCES = ("json", "form", "query", "path", "header", "cookie")
MAX_FIELDS = 100
MAX_CACHED_READERS = 256
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

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
        self.is_json = self.media_type == JSON or self.media_type.endswith("+json")

    def get(self, field: str) -> object:
        """The field's value, or ``None`` where the request has none. Raises `IntakeError`."""
        return _cached_reader(field)(self)

    def can_have(self, field: str) -> bool:
        """Whether this request can carry the field: a body may be neither JSON nor a form."""
        source, _ = _split(field)
        if self.is_json:
            return source != "form"
        return source not in ("", "json", "form") or (self.media_type == FORM and source != "json")

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
        if self.media_type != FORM:
            raise _unsupported(FORM)
        self._check_encoding()
        if b";" in self.body:  # to some parsers it ends a field; browsers always escape it
            raise _ambiguous("form field")
        return _pairs(self.body, "form field")

    @cached_property
    def query(self) -> Mapping[str, str]:
        return _pairs(self.scope.get("query_string", b""), "query parameter")

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
            raise _ambiguous("Content-Type header")
        for parameter in "".join(self._content_types).split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset" and value.strip().strip('"').lower() != "utf-8":
                raise _unsupported("UTF-8")


def field_reader(field: str | FieldReader) -> FieldReader:
    """How to read a declared field off any request; a function is its own reader. Readers raise
    `IntakeError` for what is ambiguous or cannot be read."""
    if callable(field):
        return field
    source, name = _split(field)
    match source:
        case "form":
            return lambda fields: fields.form.get(name)
        case "query":
            return lambda fields: fields.query.get(name)
        case "path":
            return lambda fields: fields.parameters.get(name)
        case "header":
            lower = name.lower()
            return lambda fields: _only(fields.header_lines(lower), "header")
        case "cookie":
            return lambda fields: _only(
                {value for key, value in fields.cookies if key == name}, "cookie"
            )
    return _body_reader(name, only_json=source == "json")


_cached_reader = lru_cache(maxsize=MAX_CACHED_READERS)(field_reader)


def _body_reader(name: str, *, only_json: bool) -> FieldReader:
    """Reads a form's field called ``name``, or the JSON value at that dotted path."""
    path = name.split(".")

    def read(fields: Fields) -> object:
        if not only_json and not fields.is_json:
            if fields.media_type != FORM:
                raise _unsupported(f"{JSON} or {FORM}")
            return fields.form.get(name)
        value = fields.json
        for key in path:
            if not isinstance(value, dict):
                return None
            value = value.get(key)
        return value

    return read


def _split(field: str) -> tuple[str, str]:
    """The source and the name of a declared field; no source means the body."""
    source, colon, name = field.partition(":")
    return (source, name) if colon else ("", source)


def decode_json(body: bytes) -> object:
    """Strict JSON: UTF-8, no duplicate keys, no NaN, no lone surrogates. Raises `IntakeError`."""
    try:
        # json.loads(bytes) would accept UTF-16 and a byte order mark, which apps read otherwise.
        text = body.decode("utf-8")
        value = STRICT.decode(text)
        if "\\ud" in text or "\\uD" in text:  # a surrogate escape: lone ones are no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        detail = "The request body is not well-formed JSON in UTF-8."
        raise IntakeError(400, "bad-json", "Malformed JSON", detail) from None
    return value


def _unique(pairs: list[tuple[str, Any]], what: str = "JSON key") -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _ambiguous(what)
    return found


def _no_constant(name: str) -> Never:
    raise ValueError(name)


STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _pairs(raw: bytes, what: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:  # too many fields, bytes that are no UTF-8
        raise IntakeError(400, "bad-form", "Malformed form", f"A {what} cannot be read.") from None
    return _unique(pairs, what)


def _only(values: Collection[str], what: str) -> str | None:
    if len(values) > 1:
        raise _ambiguous(what)
    return next(iter(values), None)


def _ambiguous(what: str) -> IntakeError:
    detail = f"A {what} is given more than once."
    return IntakeError(400, "ambiguous-request", "Ambiguous request", detail)


def _unsupported(expected: str) -> IntakeError:
    detail = f"This endpoint reads {expected}."
    return IntakeError(415, "unsupported-body", "Unsupported request body", detail)
