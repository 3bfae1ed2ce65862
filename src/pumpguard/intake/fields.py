"""Values out of a request: one declared place each, and anything ambiguous refused.

Parsers differ about duplicate keys, encodings and trailing data. Where the guard and the app could
read two different numbers from the same bytes, the request is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, Never
from urllib.parse import parse_qsl

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.headers import Lines

SOURCES = ("json", "form", "query", "path", "header", "cookie")
MAX_FIELDS = 100
REMEMBERED = 256
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@lru_cache(maxsize=REMEMBERED)
def _split(field: str) -> tuple[str, str]:
    """The source and the name of a declared field; no source means the body."""
    source, colon, name = field.partition(":")
    return (source, name) if colon else ("", source)


def _media_type(content_type: str) -> str:
    if content_type == JSON:
        return JSON  # nearly always
    return content_type.partition(";")[0].strip().lower()


def check_field(text: object, path: str) -> None:
    """Raise `PolicyError` unless this names a field: ``phone``, ``json:a.b``, ``query:x``."""
    right = isinstance(text, str) and text.strip() and text == text.strip()
    source, colon, name = str(text).partition(":")
    if not right or (colon and (source not in SOURCES or not name)):
        raise PolicyError(path, f"a field such as 'phone' or one of {SOURCES} with ':name'", text)


class Fields:
    """What one request says, by declared field; also handed to a policy's own functions."""

    def __init__(self, scope: Scope, body: bytes, parameters: Mapping[str, str]) -> None:
        self.scope = scope
        self.body = body
        self.parameters = parameters
        self.lines = Lines(scope)
        self.media_type = _media_type(self.lines.get("content-type"))
        """The body's type, lower case and without parameters."""

    def can_have(self, field: str) -> bool:
        """Whether this kind of request can have the field: its body may be no JSON and no form."""
        source, _ = _split(field)
        if source not in ("", "json", "form"):
            return True
        if source != "form" and (self.media_type == JSON or self.media_type.endswith("+json")):
            return True
        return source != "json" and self.media_type == FORM

    def get(self, field: str) -> object:
        """The field's value, or ``None`` where the request has none. Raises `IntakeError`."""
        source, name = _split(field)
        match source:
            case "":
                return self._from_body(name)
            case "json":
                return _dig(self.json, name)
            case "form":
                return self.form.get(name)
            case "query":
                return self.query.get(name)
            case "path":
                return self.parameters.get(name)
            case "header":
                return self._header(name)
        return self._cookie(name)

    @cached_property
    def headers(self) -> Headers:
        """The request's headers."""
        return Headers(scope=self.scope)

    @cached_property
    def json(self) -> object:
        """The body as JSON."""
        if self.media_type != JSON and not self.media_type.endswith("+json"):
            raise _unsupported(JSON)
        self._check_encoding()
        return decode_json(self.body)

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The body as a form."""
        if self.media_type != FORM:
            raise _unsupported(FORM)
        self._check_encoding()
        if b";" in self.body:  # to some parsers it ends a field; browsers always escape it
            raise _ambiguous("form field")
        return _pairs(self.body, "form field")

    @cached_property
    def query(self) -> Mapping[str, str]:
        """The query string."""
        return _pairs(self.scope.get("query_string", b""), "query parameter")

    @cached_property
    def cookies(self) -> tuple[tuple[str, str], ...]:
        """The cookies as names and values, in order; HTTP/2 spreads them over header lines."""
        parts = ";".join(self.lines.getlist("cookie")).split(";")
        return tuple(pair for part in parts for pair in cookie_parser(part).items())

    def _from_body(self, name: str) -> object:
        if self.media_type == JSON or self.media_type.endswith("+json"):
            return _dig(self.json, name)
        if self.media_type == FORM:
            return self.form.get(name)
        raise _unsupported(f"{JSON} or {FORM}")

    def _header(self, name: str) -> str | None:
        values = self.lines.getlist(name)
        if len(values) > 1:
            raise _ambiguous("header")
        return values[0] if values else None

    def _cookie(self, name: str) -> str | None:
        values = {value for key, value in self.cookies if key == name}
        if len(values) > 1:
            raise _ambiguous("cookie")
        return next(iter(values), None)

    def _check_encoding(self) -> None:
        lines = self.lines
        if lines.only("content-type", self.media_type) and "content-encoding" not in lines:
            return  # nearly always
        encodings = ",".join(self.lines.getlist("content-encoding")).lower().split(",")
        if not {encoding.strip() for encoding in encodings} <= {"", "identity"}:
            raise _unsupported("an unencoded body (no Content-Encoding)")
        if len(self.lines.getlist("content-type")) > 1:
            raise _ambiguous("Content-Type header")
        for parameter in self.lines.get("content-type").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset" and value.strip().strip('"').lower() != "utf-8":
                raise _unsupported("UTF-8")


def decode_json(body: bytes) -> object:
    """Strict JSON: UTF-8, no duplicate keys, no NaN, no lone surrogates. Raises `IntakeError`."""
    try:
        # json.loads(bytes) would accept UTF-16 and a byte order mark, which apps read otherwise.
        text = body.decode("utf-8")
        value = STRICT.decode(text)
        if "\\ud" in text or "\\uD" in text:  # a surrogate escape: lone ones are no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise IntakeError(
            400, "bad-json", "Malformed JSON", "The request body is not well-formed JSON in UTF-8."
        ) from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _ambiguous("JSON key")
    return found


def _no_constant(name: str) -> Never:
    raise ValueError(name)


STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)


def _dig(value: object, path: str) -> object:
    for name in path.split(".") if "." in path else (path,):
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def _pairs(raw: bytes, what: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:  # too many fields, bytes that are no UTF-8
        raise IntakeError(400, "bad-form", "Malformed form", f"A {what} cannot be read.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _ambiguous(what)
    return found


def _ambiguous(what: str) -> IntakeError:
    detail = f"A {what} is given more than once."
    return IntakeError(400, "ambiguous-request", "Ambiguous request", detail)


def _unsupported(expected: str) -> IntakeError:
    detail = f"This endpoint reads {expected}."
    return IntakeError(415, "unsupported-body", "Unsupported request body", detail)
