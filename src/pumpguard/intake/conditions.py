"""What a policy says of requests and answers: which send (``when``), which have sent
(``sent_when``), and which say that a code was right (``verified_when``)."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from pumpguard.errors import IntakeError, PolicyError
from pumpguard.intake.fields import Fields, check_field, decode_json, field_reader

ERROR = 400

CONDITION = re.compile(
    r"""\s*(?P<field>[^\s=!'"]+)\s*(?P<sign>[=!]=)\s*"""
    r"""(?:'(?P<text>[^']*)'|"(?P<quoted>[^"]*)"|(?P<number>\d+)|(?P<truth>true|false))\s*\Z"""
)
EXPECTED = "a function, or a field compared to a value, such as \"json:channel == 'sms'\""

STATUS = re.compile(r"([1-5])xx|([1-5]\d\d)(?:-([1-5]\d\d))?", re.IGNORECASE)

BY_SENDER = "sender"
SENT_WHEN = ("2xx", 302, 303)
"""A form is answered by a redirect to the page where the code is entered (302, 303). With 307 and
308 the client asks once more, elsewhere."""

STATUSES = "statuses such as '2xx' or 202, a list of them, 'sender', or a function of a status"

VERIFIED_WHEN = "2xx"

Success: TypeAlias = Callable[[int, Headers, bytes], bool]

VALUE = re.compile(r"(json|header):\s*([^\s=]+)\s*==\s*(.+)\Z")
SUCCESSES = "a status such as 303 or '2xx', 'json:valid == true', 'header:x-ok == 1', "
SUCCESSES += "'location:/home', several of these, or a function of status, headers and body"


def condition(when: Any) -> Callable[[Fields], bool]:
    """Whether a request sends a message, by a function of its fields or by a comparison.

    In doubt it does: ``==`` is true where the field is absent or empty, and passes over case,
    width and white space; ``!=`` is false for exactly that value. Raises `PolicyError`.
    """
    if callable(when):
        return lambda fields: bool(when(fields))
    found = CONDITION.match(when) if isinstance(when, str) else None
    if found is None:
        raise PolicyError("when", EXPECTED, when)
    check_field(found["field"], "when")
    read, value = field_reader(found["field"]), _value(found)
    if found["sign"] == "!=":
        return lambda fields: not _is_exactly(read(fields), value)
    wanted = _folded(value)
    return lambda fields: _folded(read(fields)) in ("", wanted)


def _value(found: re.Match[str]) -> str | int | bool:
    if found["truth"]:
        return found["truth"] == "true"
    return int(found["number"]) if found["number"] else found["text"] or found["quoted"] or ""


def _is_exactly(value: object, wanted: str | int | bool) -> bool:
    return type(value) is type(wanted) and value == wanted


def _folded(value: object) -> str:
    """The value as the laxest of apps reads it; empty for what cannot be compared."""
    if value is None or not isinstance(value, str | int):
        return ""
    return unicodedata.normalize("NFKC", str(value)).strip().casefold()


class SentWhen:
    """A policy's ``sent_when``: which statuses say that a message went out.

    ``by_sender`` says that no status does where the wrapped sender was not called; ``function`` is
    asked in the place of ``statuses``, if there is one. Raises `PolicyError` for a setting that
    says nothing.
    """

    def __init__(self, setting: object = SENT_WHEN, path: str = "sent_when") -> None:
        self.by_sender = setting == BY_SENDER
        self.function: Callable[[int], object] | None = None
        self.statuses = frozenset[int]()
        if callable(setting):
            self.function = setting
            return
        for one in _several(SENT_WHEN if self.by_sender else setting):
            named = _statuses(one)
            if named is None:
                raise PolicyError(path, STATUSES, one)
            self.statuses |= named
        if not self.statuses:
            raise PolicyError(path, STATUSES, setting)


def success_when(when: object, where: str = "verified_when") -> Success:
    """What decides whether an answer says that a code was right. Raises `PolicyError`.

    One or several texts, any of which is enough: ``"2xx"``, ``303`` or ``"200-204"`` (the status),
    ``"location:/home"`` (a redirect; ``/home*``: to what begins so), ``"header:x-ok == 1"`` and
    ``"json:data.valid == true"`` (a value in an answer below 400). Or a function of the status, the
    headers (a `starlette.datastructures.Headers`) and the body, which is `bytes`.
    """
    if callable(when):
        return when
    tests = [_test(one, where) for one in _several(VERIFIED_WHEN if when is None else when)]
    if not tests:
        raise PolicyError(where, SUCCESSES, when)
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


def _several(setting: object) -> Sequence[object]:
    """The items of a list, or the only one."""
    if isinstance(setting, Sequence) and not isinstance(setting, str | bytes):
        return setting
    return (setting,)


def _statuses(one: object) -> frozenset[int] | None:
    """Those that ``303``, ``"2xx"`` or ``"200-204"`` name; ``None`` for what names none."""
    text = str(one) if isinstance(one, str | int) and not isinstance(one, bool) else ""
    found = STATUS.fullmatch(text)
    if found is None:
        return None
    first = int(found[1]) * 100 if found[1] else int(found[2])
    last = first + 99 if found[1] else int(found[3] or first)
    return frozenset(range(first, last + 1)) or None


def _test(one: object, where: str) -> Success:
    statuses = _statuses(one)
    if statuses is not None:
        return lambda status, headers, body: status in statuses
    if not isinstance(one, str):
        raise PolicyError(where, SUCCESSES, one)
    if one.startswith("location:"):
        return _redirect(one.removeprefix("location:").strip())
    value = VALUE.match(one)
    if value is None:
        raise PolicyError(where, SUCCESSES, one)
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
