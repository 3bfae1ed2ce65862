"""Forms as ``multipart/form-data`` (RFC 7578), so strictly that no two parsers read two things."""

from __future__ import annotations

import re

from pumpguard.intake.decode import MAX_FIELDS, Values, malformed_form, repeated

BOUNDARY = re.compile(r';\s*boundary=(?:"([^"\\;]{1,70})"|([^"\\;\s,]{1,70}))\s*(?:;|\Z)', re.I)
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\x00]*)\Z")
DISPOSITION = re.compile(
    rb'form-data; *name=(?:"([^"\\]+)"|([^"\\;\s]+))(; *filename\*?=.*)?\Z', re.I
)
"""As browsers and HTTP clients write it: the name first. The name of a file may be anything: files
are never read."""


def multipart_fields(body: bytes, content_type: str) -> dict[str, str]:
    """The text fields of a multipart body. Raises `IntakeError` (400).

    Names that stand there more than once, of files and of encoded parts are refused when they are
    read. The body is refused as a whole where a boundary stands in the middle of a line, outside
    the parts there is anything, or programs read the headers of a part differently.
    """
    found = BOUNDARY.findall(content_type)
    if len(found) != 1 or content_type.lower().count("boundary") != 1:
        raise malformed_form()
    edge = b"--" + "".join(found[0]).encode("latin-1")
    before, *parts = body.split(edge, MAX_FIELDS + 2)
    if before or not parts or parts.pop() not in (b"--", b"--\r\n") or len(parts) > MAX_FIELDS:
        raise malformed_form()
    fields, refused = [], set()
    for part in parts:
        name, value, is_text = _field(part)
        fields.append((name, value))
        if not is_text:
            refused.add(name)
    refused |= repeated([name for name, _ in fields])
    return Values(fields, refused, "form field") if refused else dict(fields)


def _field(part: bytes) -> tuple[str, str, bool]:
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
