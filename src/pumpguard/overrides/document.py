"""All overrides of a policy in one immutable document, as it is stored and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any

from pumpguard.config import join
from pumpguard.decision import Mode
from pumpguard.errors import OverrideError
from pumpguard.overrides.lists import ListedKind, Listing
from pumpguard.overrides.posture import EVERYWHERE, Posture, PostureOverride, Step
from pumpguard.overrides.standing import MAX_ORDERS, Expectation, Monitoring, Order
from pumpguard.overrides.stored import mapping, parsed, stored, table_of
from pumpguard.store.overrides import VERSION_BYTES

MAX_LISTINGS = 1_000
"""Every process holds all of them: the lists are for exceptions, not for block lists."""

MAX_TEXT = 200
FORMAT = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideDocument:
    """What people have set, and the last step of escalation.

    ``version`` only grows. ``postures`` are by country, with `EVERYWHERE` for the fleet's; so are
    ``expectations``, with that for all countries. ``monitored`` are by the rule's name, ``orders``
    what was ordered last, the newest first.
    """

    version: int = 0
    postures: Mapping[str, PostureOverride] = field(default_factory=dict)
    step: Step | None = None
    listings: Sequence[Listing] = ()
    expectations: Mapping[str, Expectation] = field(default_factory=dict)
    monitored: Mapping[str, Monitoring] = field(default_factory=dict)
    orders: Sequence[Order] = ()

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

    def unbounded_because(self, now: float, mode: Mode = "enforce") -> list[str]:
        """Why nothing bounds the spending meanwhile, under a policy of this ``mode``, a sentence
        each. What is expected raises the bound (`pumpguard.money.exposure.exposure`), and all other
        overrides only reduce it: what the allowed spend within budgets is part of it."""
        fleet, reasons = self.fleet(now), list[str]()
        if mode == "monitor" and fleet is Posture.NORMAL:
            reasons.append("The policy's mode is monitor: nothing is enforced.")
        if fleet is Posture.OBSERVE:
            strict = sorted(country for country in self.postures if country != EVERYWHERE)
            but = f", but for {', '.join(strict)}" if strict else ""
            reasons.append(f"The posture is observe: nothing is enforced{but}.")
        for each in self.listings:
            if each.spends_freely and each.in_force(now):
                reasons.append(f"{each.kind} {each.shown} spends freely, set by {each.author}.")
        for rule, order in sorted(self.monitored.items()):
            if order.in_force(now):
                by = f"by {order.author}: it bounds nothing"
                reasons.append(f"The rule {rule} only monitors, {by}.")
        return reasons

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

    def with_monitored(self, monitoring: Monitoring, rule: str) -> OverrideDocument:
        """This document with one more rule that only monitors."""
        _check_words(monitoring.author, monitoring.reason)
        return replace(self, monitored={**self.monitored, rule: monitoring})

    def without_monitored(self, rule: str) -> OverrideDocument:
        """This document with a rule as the policy has it."""
        return replace(self, monitored={r: m for r, m in self.monitored.items() if r != rule})

    def with_order(self, order: Order) -> OverrideDocument:
        """This document with one more order in front of those before. That a reason for escalation
        lasts is written again and again, and is one."""
        before = self.orders
        if before and before[0].what == order.what == "escalate":
            before = before[1:]
        return replace(self, orders=(order, *before[: MAX_ORDERS - 1]))

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
        monitored = {rule: each for rule, each in self.monitored.items() if each.in_force(now)}
        return replace(
            self, postures=postures, step=step, listings=listings, expectations=expectations,
            monitored=monitored,
        )  # fmt: skip

    def to_json(self, now: float) -> dict[str, Any]:
        """All of it for programs, as at a time. Times are in Unix seconds, subjects masked."""
        step = self.step
        tables = {country: table_of(override) for country, override in self.postures.items()}
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
                {name: v for name, v in table_of(each).items() if name != "value"}
                for each in self.listings
            ],
            "expectations": {
                country or "everywhere": table_of(each)
                for country, each in self.expectations.items()
                if each.in_force(now)
            },
        }  # fmt: skip

    def encode(self) -> bytes:
        """Everything but the version, as it is stored."""
        table: dict[str, Any] = {
            "format": FORMAT,
            "postures": {country: stored(override) for country, override in self.postures.items()},
            "listings": [stored(each) for each in self.listings],
        }
        if self.step is not None:
            table["step"] = stored(self.step)
        if self.expectations:
            table["expectations"] = {c: stored(each) for c, each in self.expectations.items()}
        if self.monitored:
            table["monitored"] = {rule: stored(each) for rule, each in self.monitored.items()}
        if self.orders:
            table["orders"] = [stored(each) for each in self.orders]
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
        table = mapping(table, "overrides")
        if table.get("format") != FORMAT:
            raise OverrideError("format", str(FORMAT), table.get("format"))
        listings = table.get("listings", [])
        if not isinstance(listings, list):
            raise OverrideError("listings", "a list", listings)
        postures = mapping(table.get("postures", {}), "postures")
        step = table.get("step")
        return cls(
            version=int.from_bytes(document[:VERSION_BYTES]),
            postures={
                country: parsed(PostureOverride, each, join("postures", country or "everywhere"))
                for country, each in postures.items()
            },
            step=None if step is None else parsed(Step, step, "step"),
            listings=tuple(_listing(each, f"listings.{i}") for i, each in enumerate(listings)),
            expectations={
                country: parsed(Expectation, each, join("expectations", country or "everywhere"))
                for country, each in mapping(table.get("expectations", {}), "expectations").items()
            },
            monitored={
                rule: parsed(Monitoring, each, join("monitored", rule))
                for rule, each in mapping(table.get("monitored", {}), "monitored").items()
            },
            orders=tuple(parsed(Order, each, "orders") for each in table.get("orders", [])),
        )


def version_bytes(version: int) -> bytes:
    """A version as a stored document begins with it; nothing for version 0."""
    return version.to_bytes(VERSION_BYTES) if version else b""


def _listing(table: object, path: str) -> Listing:
    listing = parsed(Listing, table, path)
    try:
        if listing.kind == "network":
            ip_network(listing.value)
    except ValueError:
        raise OverrideError(join(path, "value"), "a CIDR", listing.value) from None
    return listing


def _check_words(author: str, reason: str) -> None:
    """Every process keeps what people write, and commands print it on terminals."""
    for name, text in (("author", author), ("reason", reason)):
        if len(text) > MAX_TEXT or (text and not text.isprintable()):
            raise OverrideError(name, f"a line of at most {MAX_TEXT} characters", text)
    if not author:
        raise OverrideError("author", "who sets it", author)
