"""All orders of a policy in one immutable document, and how that is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from ipaddress import ip_network
from typing import Any, TypeVar

from pumpguard.config import build, check, join
from pumpguard.errors import OrdersError, PolicyError
from pumpguard.orders.ladder import Step
from pumpguard.orders.lists import Kind, Listing
from pumpguard.orders.posture import EVERYWHERE, Order, Posture

T = TypeVar("T")

MARK = 6
"""Bytes of the version with which a document begins. Nothing at all is version 0."""

LISTINGS = 1_000
"""A list made by hand is no block list: every process holds all of it."""

LONGEST_TEXT = 200
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What people have ordered, and how far the ladder has stepped up by itself.

    ``version`` only grows. ``postures`` are by country, with `EVERYWHERE` for the fleet's.
    """

    version: int = 0
    postures: Mapping[str, Order] = field(default_factory=dict)
    step: Step | None = None
    listings: Sequence[Listing] = ()

    def posture(self, country: str | None, now: float) -> Posture:
        """The posture towards a country: its own, where that is stricter than the fleet's."""
        fleet = self.fleet(now)
        order = self.postures.get(country or EVERYWHERE)
        here = order.standing(now) if order is not None else None
        return fleet if here is None else max(fleet, here)

    def fleet(self, now: float) -> Posture:
        """The posture towards everybody: a person's order, else the ladder's."""
        order = self.postures.get(EVERYWHERE)
        ordered = order.standing(now) if order is not None else None
        if ordered is not None:
            return ordered
        return self.step.standing(now) if self.step is not None else Posture.NORMAL

    def held(self, now: float) -> bool:
        """Whether a person's order stands, which the ladder leaves alone."""
        order = self.postures.get(EVERYWHERE)
        return order is not None and order.standing(now) is not None

    def ordering(self, order: Order, country: str = EVERYWHERE) -> Orders:
        """These orders with one more. One for everybody ends the ladder's step as well."""
        _check_words(order.author, order.reason)
        if order.until is not None and order.until <= order.at:
            raise OrdersError("until", "a time to come", order.until)
        step = self.step if country else None
        return replace(self, postures={**self.postures, country: order}, step=step)

    def listing(self, listing: Listing) -> Orders:
        """These orders with one more listing, in place of any about the same subject."""
        _check_words(listing.author, listing.reason)
        others = self.without(listing.kind, listing.value).listings
        if len(others) >= LISTINGS:
            raise OrdersError("listings", f"at most {LISTINGS}; remove some, or use a rule")
        return replace(self, listings=(*others, listing))

    def without(self, kind: Kind, value: str) -> Orders:
        """These orders with no listing about a subject."""
        kept = [each for each in self.listings if (each.kind, each.value) != (kind, value)]
        return replace(self, listings=tuple(kept))

    def current(self, now: float) -> Orders:
        """These orders without what is over. The fleet's last order stays, to be looked up."""
        postures = {
            country: order
            for country, order in self.postures.items()
            if country == EVERYWHERE or order.standing(now) is not None
        }
        step = self.step
        if step is not None and step.standing(now) is Posture.NORMAL:
            step = None
        listings = tuple(each for each in self.listings if each.stands(now))
        return replace(self, postures=postures, step=step, listings=listings)

    def text(self) -> bytes:
        """Everything but the version."""
        table: dict[str, Any] = {
            "format": FORMAT,
            "postures": {country: _table(order) for country, order in self.postures.items()},
            "listings": [_table(each) for each in self.listings],
        }
        if self.step is not None:
            table["step"] = _table(self.step)
        return json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def parse(cls, document: bytes) -> Orders:
        """A document as it is stored: the version, then the text. Raises `OrdersError`."""
        if not document:
            return cls()
        if len(document) < MARK:
            raise OrdersError("version", f"{MARK} bytes", document)
        try:
            table = json.loads(document[MARK:])
        except ValueError as error:
            raise OrdersError("orders", f"JSON ({error})") from None
        table = _mapping(table, "orders")
        if table.get("format") != FORMAT:
            raise OrdersError("format", str(FORMAT), table.get("format"))
        listings = table.get("listings", [])
        if not isinstance(listings, list):
            raise OrdersError("listings", "a list", listings)
        postures = _mapping(table.get("postures", {}), "postures")
        step = table.get("step")
        return cls(
            version=int.from_bytes(document[:MARK]),
            postures={
                country: _parsed(Order, each, join("postures", country or "everywhere"))
                for country, each in postures.items()
            },
            step=None if step is None else _parsed(Step, step, "step"),
            listings=tuple(_listing(each, f"listings.{i}") for i, each in enumerate(listings)),
        )


def mark(version: int) -> bytes:
    """A version as a document begins with it."""
    return version.to_bytes(MARK) if version else b""


def _table(part: Order | Step | Listing) -> dict[str, Any]:
    """A part as JSON, without what it would be anyway; postures by their names."""
    usual = {field.name: field.default for field in fields(part)}
    said = {name: v for name, v in asdict(part).items() if v != usual[name]}
    return {name: str(v) if isinstance(v, Posture) else v for name, v in said.items()}


def _parsed(cls: type[T], table: object, path: str) -> T:
    said = dict(_mapping(table, path))
    for name in ("posture", "then"):
        if name in said:
            said[name] = _posture(said[name], join(path, name))
    try:
        part = build(cls, said, path)
        check(part, path)
    except TypeError as error:  # something is missing
        raise OrdersError(path, f"all of it ({error})") from None
    except PolicyError as error:
        raise OrdersError(error.path, error.expected, error.got) from None
    return part


def _listing(table: object, path: str) -> Listing:
    listing = _parsed(Listing, table, path)
    try:
        if listing.kind == "network":
            ip_network(listing.value)
    except ValueError:
        raise OrdersError(join(path, "value"), "a CIDR", listing.value) from None
    return listing


def _posture(name: object, path: str) -> Posture:
    for posture in Posture:
        if str(posture) == name:
            return posture
    raise OrdersError(path, f"one of {', '.join(map(str, Posture))}", name)


def _mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise OrdersError(path, "a table", value)
    return value


def _check_words(author: str, reason: str) -> None:
    """What people write is kept by every process, and printed on terminals."""
    for name, text in (("author", author), ("reason", reason)):
        if len(text) > LONGEST_TEXT or (text and not text.isprintable()):
            raise OrdersError(name, f"a line of at most {LONGEST_TEXT} characters", text)
    if not author:
        raise OrdersError("author", "who orders it", author)
