"""A solved ALTCHA challenge as it travels: base64 of compact JSON, in one spelling only."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from altcha import Payload

PARAMETERS = frozenset(
    {"algorithm", "cost", "keyLength", "keyPrefix", "keySignature", "nonce", "salt", "data"}
)
SOLUTION = frozenset({"counter", "derivedKey"})
TIMED = SOLUTION | {"time"}
"""Solvers may say how long it took, in ms; it means nothing here."""


def parse(text: str) -> Payload | None:
    """The payload, or ``None`` unless it is spelt exactly as every solver does.

    The library would take other spellings of the same: padding bits, blanks, unknown or repeated
    members. Whoever checks signatures should not be generous about what they cover.
    """
    from altcha import Payload

    try:
        raw = b64decode(text, validate=True)
        said: Any = json.loads(raw)
        if b64encode(raw) != text.encode() or _compact(said) != raw.decode():
            return None
        challenge, solution = said["challenge"], said["solution"]
        known = (
            said.keys() == {"challenge", "solution"}
            and challenge.keys() == {"parameters", "signature"}
            and challenge["parameters"].keys() == PARAMETERS
            and solution.keys() in (SOLUTION, TIMED)
        )
        return Payload.from_dict(said) if known else None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _compact(said: object) -> str:
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
