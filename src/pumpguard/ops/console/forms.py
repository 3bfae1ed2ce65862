"""Reads forms and JSON bodies, within limits and unambiguously, into changes of the overrides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeVar

from starlette.requests import Request

from pumpguard.config import build, check
from pumpguard.errors import OverrideError
from pumpguard.intake.body import read_body
from pumpguard.intake.fields import Fields
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.lists import ListedKind, ListName

T = TypeVar("T")

MAX_BODY, BODY_DEADLINE = 16_384, 5.0
"""Bytes of a body, and seconds for all of it."""

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


async def read_form(request: Request) -> Mapping[str, str]:
    """The fields of a form. Raises `IntakeError`."""
    return dict((await _fields(request)).form.items())  # every field is read: none is ambiguous


async def read_json(request: Request) -> object:
    """A JSON body. Raises `IntakeError`."""
    found = (await _fields(request)).json
    return dict(found.items()) if isinstance(found, dict) else found


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
    reason, seconds = reason_of(form), seconds_of(form)
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
        "reason": reason_of(form),
        "seconds": seconds_of(form),
        "spends_freely": form.get("spends_freely") == "yes",
    }
    return change_from(ListingChange, table)


def seconds_of(form: Mapping[str, str]) -> float | None:
    """How long, as a form says. Raises `OverrideError`."""
    lasting = form.get("lasting", "")
    if lasting not in DURATIONS:
        raise OverrideError("lasting", f"one of {', '.join(DURATIONS)}", lasting)
    return DURATIONS[lasting][1]


def reason_of(form: Mapping[str, str]) -> str:
    """Why, as a form says. Raises `OverrideError`."""
    reason = form.get("reason", "").strip()
    if not reason:
        raise OverrideError("reason", "a few words: others will want to know")
    return reason


async def _fields(request: Request) -> Fields:
    body = await read_body(request.receive, MAX_BODY, BODY_DEADLINE)
    return Fields(request.scope, body, request.path_params)
