"""The values of JSON, forms and queries, of which only those that are read must be unambiguous.

Parsers differ about repeated names, NaN, lone surrogates and bytes that are no UTF-8. None of them
matters until somebody reads the value they stand in: then the request is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import parse_qsl

from pumpguard.errors import IntakeError

MAX_FIELDS = 1_000
"""Of a form or a query, as in starlette."""

BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\\;]{1,70})"|([^"\\;\s,]{1,70}))\s*(?:;|\Z)', re.I)
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*)\Z")
DISPOSITION = re.compile(
    rb'form-data; *name=(?:"([^"\\]+)"|([^"\\;\s]+))(; *filename\*?=.*)?\Z', re.I
)
"""As browsers and HTTP clients write it: the name first. The name of a file may be anything: files
are never read."""


class Values(dict[str, Any]):
    """Names and values, of which some ``refused`` names have no one value: to read one of those,
    or to go through all, raises `IntakeError`. Where there are none of those, a plain `dict` is
    made instead."""

    def __init__(
        self, pairs: Sequence[tuple[str, Any]], refused: Collection[str], what: str
    ) -> None:
        super().__init__(pairs)
        self._refused = refused
        self._what = what

    def __getitem__(self, key: str) -> Any:
        if key in self._refused:
            raise ambiguous(self._what)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """As of any mapping, if the name has one value."""
        if key in self._refused:
            raise ambiguous(self._what)
        return super().get(key, default)

    def items(self) -> Any:
        """None: not each of them has one value."""
        raise ambiguous(self._what)

    values = items


class Constant(float):
    """``NaN`` or ``Infinity``, which are no JSON but read by some."""


def sound(value: object) -> object:
    """The value, unless programs read it differently: then raises `IntakeError`."""
    if isinstance(value, str):
        if value.isascii():
            return value
        if any("\ud800" <= sign <= "\udfff" for sign in value):
            raise IntakeError(400, "bad-text", "Malformed text", "A field is no text in UTF-8.")
    elif isinstance(value, Constant):
        raise malformed_json()
    elif isinstance(value, list):
        for item in value:
            sound(item)
    return value


def pairs(raw: bytes, what: str, *, semicolons: bool = False) -> dict[str, str]:
    """The fields of a form or a query, ``what``. With ``semicolons``, names that a program which
    takes ``;`` for ``&`` would read otherwise are refused when they are read."""
    text = raw.decode("ascii", "surrogateescape")
    found = _split(text, what)
    names = [name for name, _ in found]
    refused = repeated(names) if len(set(names)) < len(names) else set()
    if semicolons and ";" in text:
        other = _split(text.replace(";", "&"), what)
        refused |= {name for name, _ in set(found) ^ set(other)}
        refused |= repeated([name for name, _ in other])
    return Values(found, refused, what) if refused else dict(found)


def _split(text: str, what: str) -> list[tuple[str, str]]:
    try:
        found = parse_qsl(
            text, keep_blank_values=True, errors="surrogateescape", max_num_fields=MAX_FIELDS
        )
    except ValueError:  # too many fields
        raise malformed_form(what) from None
    for name, _ in found:  # a program that leaves out what is no UTF-8 would read another name
        if not name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in name):
            raise malformed_form(what)
    return found


def multipart_fields(body: bytes, content_type: str) -> dict[str, str]:
    """The text fields of a multipart body. Raises `IntakeError` (400).

    Names that stand there more than once, of files and of encoded parts are refused when they are
    read. The body is refused as a whole where a boundary stands in the middle of a line, outside
    the parts there is more than line breaks, or programs read the headers of a part differently.
    """
    found = BOUNDARY.findall(content_type)
    if len(found) != 1 or content_type.lower().count("boundary") != 1:
        raise malformed_form()
    edge = b"--" + "".join(found[0]).encode("latin-1")
    before, *parts = body.split(edge, MAX_FIELDS + 2)
    end = parts.pop() if parts else b""
    around = before + end.removeprefix(b"--")  # some clients put line breaks there
    if around.replace(b"\r\n", b"") or not end.startswith(b"--") or len(parts) > MAX_FIELDS:
        raise malformed_form()
    fields, refused = [], set()
    for part in parts:
        name, value, is_text = _part(part)
        fields.append((name, value))
        if not is_text:
            refused.add(name)
    refused |= repeated([name for name, _ in fields])
    return Values(fields, refused, "form field") if refused else dict(fields)


def _part(part: bytes) -> tuple[str, str, bool]:
    """A part's name and value, and whether all programs take that for the field's text."""
    head, blank, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    if not (part.startswith(b"\r\n") and blank and value.endswith(b"\r\n")):
        raise malformed_form()
    disposition, is_text = None, True
    for line in head.split(b"\r\n"):
        header = HEADER.match(line)
        if header is None:
            raise malformed_form()
        match header[1].lower():
            case b"content-disposition":
                if disposition is not None:
                    raise malformed_form()
                disposition = DISPOSITION.match(header[2].strip())
                if disposition is None:
                    raise malformed_form()
            case b"content-transfer-encoding":
                is_text &= header[2].strip().lower() in (b"7bit", b"8bit", b"binary")
            case b"content-type":
                _, charset, which = header[2].lower().partition(b"charset=")
                is_text &= not charset or which.strip(b' "') == b"utf-8"
    if disposition is None:
        raise malformed_form()
    try:
        name = (disposition[1] or disposition[2]).decode("utf-8")
    except UnicodeDecodeError:
        raise malformed_form() from None
    text = value[:-2].decode("utf-8", "surrogateescape")
    return name, text, is_text and disposition[3] is None


def repeated(names: Sequence[str]) -> set[str]:
    """Those that stand there more than once."""
    return {name for name, times in Counter(names).items() if times > 1}


def ambiguous(what: str) -> IntakeError:
    """The refusal of something, ``what``, that has more than one value."""
    detail = f"A {what} is given more than once."
    return IntakeError(400, "ambiguous-request", "Ambiguous request", detail)


def malformed_json() -> IntakeError:
    """The refusal of what is no JSON."""
    detail = "The request body is not well-formed JSON in UTF-8."
    return IntakeError(400, "bad-json", "Malformed JSON", detail)


def malformed_form(what: str = "form field") -> IntakeError:
    """The refusal of a form that is none."""
    return IntakeError(400, "bad-form", "Malformed form", f"A {what} cannot be read.")
