"""Which requests to a guarded route send a message: a policy's ``when``."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from pumpguard.errors import PolicyError
from pumpguard.intake.fields import Fields, check_field, field_reader

CONDITION = re.compile(
    r"""\s*(?P<field>[^\s=!'"]+)\s*(?P<sign>[=!]=)\s*"""
    r"""(?:'(?P<text>[^']*)'|"(?P<quoted>[^"]*)"|(?P<number>\d+)|(?P<truth>true|false))\s*\Z"""
)
EXPECTED = "a function, or a field compared to a value, such as \"json:channel == 'sms'\""


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
