"""Reads forms and JSON bodies, within limits and unambiguously, into changes of the overrides."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from starlette.requests import Request

from pumpguard.config import build, check
from pumpguard.errors import IntakeError, OverrideError
from pumpguard.intake.body import read_body
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.lists import ListedKind, ListName

T = TypeVar("T")

MAX_BODY, BODY_DEADLINE, MAX_FIELDS = 16_384, 5.0, 20
"""Bytes of a body, seconds for all of it, and fields of a form."""

FORM, JSON = "application/x-www-form-urlencoded", "application/json"

DURATIONS: Mapping[str, tuple[str, float | None]] = {
    "15m": ("15 minutes", 900.0),
    "1h": ("an hour", 3_600.0),
    "4h": ("4 hours", 14_400.0),
    "24h": ("24 hours", 86_400.0),
    "7d": ("7 days", 604_800.0),
    "30d": ("30 days", 2_592_000.0),
    "open": ("until further notice", None),
}
"""The durations that a form offers: in words, and in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostureChange:
    """A posture to set, with the arguments of `OverrideAdmin.posture`."""

    posture: str
    author: str
    reason: str = ""
    country: str | None = None
    seconds: float | None = None
    then: str = "normal"

    async def apply(self, admin: OverrideAdmin) -> OverrideDocument:
        return await admin.posture(**asdict(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingChange:
    """A listing to add, with the arguments of `OverrideAdmin.allow` and `deny`."""

    verdict: ListName
    kind: ListedKind
    value: str
    author: str
    reason: str = ""
    seconds: float | None = None
    spends_freely: bool = False

    async def apply(self, admin: OverrideAdmin) -> OverrideDocument:
        details = asdict(self)
        if details.pop("verdict") == "allow":
            return await admin.allow(**details)
        if details.pop("spends_freely"):
            raise OverrideError("spends_freely", "false for who is denied", True)
        return await admin.deny(**details)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRemoval:
    """A listing to remove, with the arguments of `OverrideAdmin.remove`."""

    kind: ListedKind
    value: str

    async def apply(self, admin: OverrideAdmin) -> OverrideDocument:
        return await admin.remove(self.kind, self.value)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form. Raises `IntakeError`."""
    body = await _body(request, FORM)
    try:
        pairs = parse_qsl(body.decode(), True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        raise _bad("The body is no form.") from None
    return _unique(pairs)


async def read_json(request: Request) -> Any:
    """A JSON body. Raises `IntakeError`."""
    body = await _body(request, JSON)
    try:
        return json.loads(body, object_pairs_hook=_unique)
    except (ValueError, RecursionError):
        raise _bad("The body is no JSON.") from None


def change_from(cls: type[T], table: object) -> T:
    """A change from a table of its fields. Raises `PolicyError` with the path of what is wrong."""
    if not isinstance(table, dict):
        raise OverrideError("body", "a JSON object")
    try:
        change = build(cls, table)
    except TypeError as error:  # something is missing
        path = str(error).rpartition(": ")[2]
        raise OverrideError(path.strip("'"), "to be given") from None
    check(change)
    return change


def posture_from_form(form: Mapping[str, str], author: str) -> PostureChange:
    """The change that the form for the posture asks for."""
    reason, seconds = _reason(form), _seconds(form)
    table = {
        "posture": form.get("posture", ""),
        "author": author,
        "reason": reason,
        "country": form.get("country", "").strip() or None,
        "seconds": seconds,
        # The form's choice means nothing without an end.
        "then": "normal" if seconds is None else form.get("then", "normal"),
    }
    return change_from(PostureChange, table)


def listing_from_form(form: Mapping[str, str], author: str) -> ListingChange:
    """The change that the form for the lists asks for."""
    table = {
        "verdict": form.get("verdict", ""),
        "kind": form.get("kind", ""),
        "value": form.get("value", "").strip(),
        "author": author,
        "reason": _reason(form),
        "seconds": _seconds(form),
        "spends_freely": form.get("spends_freely") == "yes",
    }
    return change_from(ListingChange, table)


def _seconds(form: Mapping[str, str]) -> float | None:
    lasting = form.get("lasting", "")
    if lasting not in DURATIONS:
        raise OverrideError("lasting", f"one of {', '.join(DURATIONS)}", lasting)
    return DURATIONS[lasting][1]


def _reason(form: Mapping[str, str]) -> str:
    reason = form.get("reason", "").strip()
    if not reason:
        raise OverrideError("reason", "a few words: others will want to know")
    return reason


async def _body(request: Request, wanted: str) -> bytes:
    types = request.headers.getlist("content-type")
    if len(types) != 1 or types[0].partition(";")[0].strip().lower() != wanted:
        detail = f"The body has to be {wanted}."
        raise IntakeError(415, "unsupported-media-type", "Unsupported media type", detail)
    return await read_body(request.receive, MAX_BODY, BODY_DEADLINE)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        raise _bad("The body says something twice.")
    return table


def _bad(detail: str) -> IntakeError:
    return IntakeError(400, "bad-request", "Bad request", detail)
