"""What somebody wants ordered, read from a form or from JSON, and given at the desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pumpguard.config import build, check
from pumpguard.errors import OrdersError
from pumpguard.orders.desk import Desk
from pumpguard.orders.document import Orders
from pumpguard.orders.lists import Kind, Verdict

T = TypeVar("T")

LASTING: Mapping[str, tuple[str, float | None]] = {
    "15m": ("15 minutes", 900.0),
    "1h": ("an hour", 3_600.0),
    "4h": ("4 hours", 14_400.0),
    "24h": ("24 hours", 86_400.0),
    "7d": ("7 days", 604_800.0),
    "30d": ("30 days", 2_592_000.0),
    "open": ("until further notice", None),
}
"""How long an order may be said to stand in a form: in words, and in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostureWanted:
    """A posture, as `Desk.posture` takes it."""

    posture: str
    author: str
    reason: str = ""
    country: str | None = None
    seconds: float | None = None
    then: str = "normal"

    async def give(self, desk: Desk) -> Orders:
        """Order it. Raises `OrdersError` and `StoreError`."""
        return await desk.posture(
            self.posture,
            author=self.author,
            reason=self.reason,
            country=self.country,
            seconds=self.seconds,
            then=self.then,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingWanted:
    """An entry of a list, as `Desk.allow` and `Desk.deny` take it."""

    verdict: Verdict
    kind: Kind
    value: str
    author: str
    reason: str = ""
    seconds: float | None = None
    spends_freely: bool = False

    async def give(self, desk: Desk) -> Orders:
        """Order it. Raises `OrdersError` and `StoreError`."""
        said: dict[str, Any] = {
            "author": self.author, "reason": self.reason, "seconds": self.seconds,
        }  # fmt: skip
        if self.verdict == "allow":
            said["spends_freely"] = self.spends_freely
            return await desk.allow(self.kind, self.value, **said)
        if self.spends_freely:
            raise OrdersError("spends_freely", "false for who is denied", True)
        return await desk.deny(self.kind, self.value, **said)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalWanted:
    """An entry to take off, by the name of what it is about."""

    kind: Kind
    value: str

    async def give(self, desk: Desk) -> Orders:
        """Order it. Raises `OrdersError` and `StoreError`."""
        return await desk.remove(self.kind, self.value)


def wanted(cls: type[T], said: object) -> T:
    """An order from what was said. Raises `PolicyError` with the exact path of what is wrong."""
    if not isinstance(said, dict):
        raise OrdersError("body", "a JSON object")
    try:
        order = build(cls, said)
    except TypeError as error:  # something is missing
        path = str(error).rpartition(": ")[2]
        raise OrdersError(path.strip("'"), "to be given") from None
    check(order)
    return order


def posture_from_form(form: Mapping[str, str], author: str) -> PostureWanted:
    """The posture that a form asks for."""
    said = {
        "posture": form.get("posture", ""),
        "author": author,
        "reason": _reason(form),
        "country": form.get("country", "").strip() or None,
        "seconds": _seconds(form),
        "then": form.get("then", "normal"),
    }
    if said["seconds"] is None:
        said["then"] = "normal"  # what comes after an order without an end is nobody's question
    return wanted(PostureWanted, said)


def listing_from_form(form: Mapping[str, str], author: str) -> ListingWanted:
    """The entry that a form asks for."""
    said = {
        "verdict": form.get("verdict", ""),
        "kind": form.get("kind", ""),
        "value": form.get("value", "").strip(),
        "author": author,
        "reason": _reason(form),
        "seconds": _seconds(form),
        "spends_freely": form.get("spends_freely") == "yes",
    }
    return wanted(ListingWanted, said)


def _seconds(form: Mapping[str, str]) -> float | None:
    lasting = form.get("lasting", "")
    if lasting not in LASTING:
        raise OrdersError("lasting", f"one of {', '.join(LASTING)}", lasting)
    return LASTING[lasting][1]


def _reason(form: Mapping[str, str]) -> str:
    reason = form.get("reason", "").strip()
    if not reason:
        raise OrdersError("reason", "a few words: others will want to know")
    return reason
