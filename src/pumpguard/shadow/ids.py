"""Random ids in the shape of a provider's, for results that no provider returned."""

from __future__ import annotations

import re
import secrets
import string
import uuid
from collections.abc import Callable
from typing import Any

from pumpguard.errors import PolicyError

ALPHABETS = {
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "base32": "0123456789abcdefghijklmnopqrstuvwxyz",
    "BASE32": "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    "base62": string.digits + string.ascii_letters,
    "base64url": string.digits + string.ascii_letters + "-_",
}

_PLACE = re.compile(r"\{(\w+)(?::(\d+))?\}")


def drawn(alphabet: str, length: int) -> str:
    """``length`` characters of ``alphabet`` that nobody can predict."""
    return "".join([secrets.choice(alphabet) for _ in range(length)])


def like(template: Any) -> Callable[..., Any]:
    """What to give `pumpguard.sender` as ``shadowed``: results that look like your provider's.

        send_sms = sender(send_sms, shadowed=like({"sid": "SM{hex:32}", "status": "queued"}))

    In texts, also inside of lists, tuples and dicts, ``{uuid}`` becomes a random UUID and
    ``{hex:32}`` 32 characters of one of these alphabets: ``digits``, ``hex``, ``HEX``, ``base32``,
    ``BASE32``, ``base62`` or ``base64url``. Everything else stays as it stands. What is made of a
    dict has its items and also attributes of their names, for providers that return objects.
    Raises `PolicyError` for an unknown place.
    """
    _filled(template)
    return lambda *_args, **_kwargs: _filled(template)


class Result(dict[str, Any]):
    """A dict whose items are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"shadowed=like(…) has no {name!r}", name=name, obj=self) from None


def _filled(template: Any) -> Any:
    match template:
        case str():
            return _PLACE.sub(_fill, template)
        case dict():
            return Result((name, _filled(value)) for name, value in template.items())
        case list() | tuple():
            return type(template)([_filled(value) for value in template])
    return template


def _fill(place: re.Match[str]) -> str:
    kind, length = place.groups()
    if kind == "uuid" and length is None:
        return str(uuid.uuid4())
    if kind not in ALPHABETS or not length:
        raise PolicyError("shadowed", "{uuid}, or an alphabet with a length, as {hex:32}", place[0])
    return drawn(ALPHABETS[kind], int(length))
