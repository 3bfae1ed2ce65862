"""All overrides of a policy in one immutable document, as it is stored and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from ipaddress import ip_network
from typing import Any, TypeVar

from pumpguard.config import build, check, join
from pumpguard.errors import OverrideError, PolicyError
from pumpguard.overrides.expected import Expectation
from pumpguard.overrides.lists import ListedKind, Listing
from pumpguard.overrides.posture import EVERYWHERE, Posture, PostureOverride, Step
from pumpguard.store.overrides import VERSION_BYTES

T = TypeVar("T")

MAX_LISTINGS = 1_000
"""Every process holds all of them: the lists are for exceptions, not for block lists."""

MAX_TEXT = 200
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideDocument:
    """What people have set, and the last step of escalation.

    ``version`` only grows. ``postures`` are by country, with `EVERYWHERE` for the fleet's; so are
    ``expectations``, with that for all countries.
    """

    version: int = 0
    postures: Mapping[str, PostureOverride] = field(default_factory=dict)
    step: Step | None = None
    listings: Sequence[Listing] = ()
    expectations: Mapping[str, Expectation] = field(default_factory=dict)

    def posture(self, country: str | None, now: float) -> Posture:
        """The posture towards a country: its own, where that is stricter than the fleet's."""
        fleet, own = self.fleet(now), self._set_posture(country or EVERYWHERE, now)
        return fleet if own is None else max(fleet, own)

    def fleet(self, now: float) -> Posture:
        """The posture towards everybody: what a person has set, else what escalation has."""
        posture = self._set_posture(EVERYWHERE, now)
        if posture is not None:
            return posture
        return self.step.posture_at(now) if self.step is not None else Posture.NORMAL

    def set_by_person(self, now: float) -> bool:
        """Whether a person has set the fleet's posture, so that escalation takes no steps."""
        return self._set_posture(EVERYWHERE, now) is not None

    def _set_posture(self, country: str, now: float) -> Posture | None:
        override = self.postures.get(country)
        return None if override is None else override.in_force(now)

    def expected(self, now: float) -> dict[str, float]:
        """How many times as much as usual is expected at a time, by country."""
        return {c: each.times for c, each in self.expectations.items() if each.in_force(now)}

    def with_posture(self, override: PostureOverride, country: str) -> OverrideDocument:
        """This document with one more posture. One for everybody ends the escalation as well."""
        _check_words(override.author, override.reason)
        step = self.step if country else None
        return replace(self, postures={**self.postures, country: override}, step=step)

    def with_expectation(self, expectation: Expectation, country: str) -> OverrideDocument:
        """This document with one more expectation, in place of any for the same country."""
        _check_words(expectation.author, expectation.reason)
        return replace(self, expectations={**self.expectations, country: expectation})

    def without_expectation(self, country: str) -> OverrideDocument:
        """This document without the expectation for a country."""
        left = {place: each for place, each in self.expectations.items() if place != country}
        return replace(self, expectations=left)

    def with_listing(self, listing: Listing) -> OverrideDocument:
        """This document with one more listing, in place of any about the same subject."""
        _check_words(listing.author, listing.reason)
        others = self.without_listing(listing.kind, listing.value).listings
        if len(others) >= MAX_LISTINGS:
            raise OverrideError("listings", f"at most {MAX_LISTINGS}; remove some, or use a rule")
        return replace(self, listings=(*others, listing))

    def without_listing(self, kind: ListedKind, value: str) -> OverrideDocument:
        """This document without any listing about a subject."""
        left = tuple(each for each in self.listings if (each.kind, each.value) != (kind, value))
        return replace(self, listings=left)

    def without_expired(self, now: float) -> OverrideDocument:
        """This document without what is over. The fleet's last posture is kept, to be shown."""
        postures = {
            country: override
            for country, override in self.postures.items()
            if country == EVERYWHERE or override.in_force(now) is not None
        }
        step = self.step
        if step is not None and step.posture_at(now) is Posture.NORMAL:
            step = None
        listings = tuple(each for each in self.listings if each.in_force(now))
        expectations = {c: each for c, each in self.expectations.items() if each.in_force(now)}
        return replace(
            self, postures=postures, step=step, listings=listings, expectations=expectations
        )

    def to_json(self, now: float) -> dict[str, Any]:
        """All of it for programs, as at a time. Times are in Unix seconds, subjects masked."""
        step = self.step
        tables = {country: _table(override) for country, override in self.postures.items()}
        return {
            "version": self.version,
            "posture": str(self.fleet(now)),
            "override": tables.pop(EVERYWHERE, None),
            "escalation": None if step is None else {
                "posture": str(step.posture_at(now)), "since": step.reached_at(now),
                "last_seen": step.last_seen, "code": step.code,
            },
            "countries": {
                country: {"posture": str(self.posture(country, now)), "override": table}
                for country, table in tables.items()
            },
            "listings": [
                {name: v for name, v in _table(each).items() if name != "value"}
                for each in self.listings
            ],
            "expectations": {
                country or "everywhere": _table(each)
                for country, each in self.expectations.items()
                if each.in_force(now)
            },
        }  # fmt: skip

    def encode(self) -> bytes:
        """Everything but the version, as it is stored."""
        table: dict[str, Any] = {
            "format": FORMAT,
            "postures": {country: _stored(override) for country, override in self.postures.items()},
            "listings": [_stored(each) for each in self.listings],
        }
        if self.step is not None:
            table["step"] = _stored(self.step)
        if self.expectations:
            table["expectations"] = {c: _stored(each) for c, each in self.expectations.items()}
        return json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()

    @classmethod
    def parse(cls, document: bytes) -> OverrideDocument:
        """A document as it is stored: the version, then the text. Raises `OverrideError`."""
        if not document:
            return cls()
        if len(document) < VERSION_BYTES:
            raise OverrideError("version", f"{VERSION_BYTES} bytes", document)
        try:
            table = json.loads(document[VERSION_BYTES:])
        except ValueError as error:
            raise OverrideError("overrides", f"JSON ({error})") from None
        table = _mapping(table, "overrides")
        if table.get("format") != FORMAT:
            raise OverrideError("format", str(FORMAT), table.get("format"))
        listings = table.get("listings", [])
        if not isinstance(listings, list):
            raise OverrideError("listings", "a list", listings)
        postures = _mapping(table.get("postures", {}), "postures")
        step = table.get("step")
        return cls(
            version=int.from_bytes(document[:VERSION_BYTES]),
            postures={
                country: _parsed(PostureOverride, each, join("postures", country or "everywhere"))
                for country, each in postures.items()
            },
            step=None if step is None else _parsed(Step, step, "step"),
            listings=tuple(_listing(each, f"listings.{i}") for i, each in enumerate(listings)),
            expectations={
                country: _parsed(Expectation, each, join("expectations", country or "everywhere"))
                for country, each in _mapping(table.get("expectations", {}), "expectations").items()
            },
        )


def version_bytes(version: int) -> bytes:
    """A version as a stored document begins with it; nothing for version 0."""
    return version.to_bytes(VERSION_BYTES) if version else b""


def _table(part: PostureOverride | Step | Listing | Expectation) -> dict[str, Any]:
    """A part with its postures by name."""
    return {name: str(v) if isinstance(v, Posture) else v for name, v in asdict(part).items()}


def _stored(part: PostureOverride | Step | Listing | Expectation) -> dict[str, Any]:
    """A part as it is stored, without defaults."""
    defaults = {field.name: field.default for field in fields(part)}
    return {name: v for name, v in _table(part).items() if getattr(part, name) != defaults[name]}


def _parsed(cls: type[T], value: object, path: str) -> T:
    table = dict(_mapping(value, path))
    for name in ("posture", "then"):
        if name in table:
            table[name] = posture_named(table[name], join(path, name))
    try:
        part = build(cls, table, path)
        check(part, path)
    except TypeError as error:  # something is missing
        raise OverrideError(path, f"all of it ({error})") from None
    except PolicyError as error:
        raise OverrideError(error.path, error.expected, error.got) from None
    return part


def _listing(table: object, path: str) -> Listing:
    listing = _parsed(Listing, table, path)
    try:
        if listing.kind == "network":
            ip_network(listing.value)
    except ValueError:
        raise OverrideError(join(path, "value"), "a CIDR", listing.value) from None
    return listing


def posture_named(name: object, path: str) -> Posture:
    """A posture by its name. Raises `OverrideError` with this path."""
    for posture in Posture:
        if str(posture) == name:
            return posture
    raise OverrideError(path, f"one of {', '.join(map(str, Posture))}", name)


def _mapping(value: object, path: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise OverrideError(path, "a table", value)
    return value


def _check_words(author: str, reason: str) -> None:
    """Every process keeps what people write, and commands print it on terminals."""
    for name, text in (("author", author), ("reason", reason)):
        if len(text) > MAX_TEXT or (text and not text.isprintable()):
            raise OverrideError(name, f"a line of at most {MAX_TEXT} characters", text)
    if not author:
        raise OverrideError("author", "who sets it", author)
