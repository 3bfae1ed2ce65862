"""What an attacker may choose, and which limits of each rule hold against his best choice.

A rule is a function of the attempt. The attempts here note which of their facts it reads; those
facts, and no others, are then tried with every value an attacker may give them. So a rule is worth
what it declares in the worst case, whoever wrote it: a limit that spares a kind of line, a client's
country or whoever solved a challenge (they are sold at a dollar a thousand) is no limit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, ClassVar, TypeAlias, get_args

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    SUPPORTED_REGIONS,
    PhoneMetadata,
    country_code_for_region,
)

from pumpguard.attempt import Attempt, Client, LineType, NetworkKind, Phone
from pumpguard.counters import Counter, Credit, Distinct, Spend, Window
from pumpguard.decision import met
from pumpguard.intake.phone import SATELLITE
from pumpguard.money.price_list import NOWHERE
from pumpguard.rules import Rule

MOST_CHOICES = 4_000
"""Choices tried per rule and destination; a rule that reads more facts than that is taken to limit
nothing."""

NO_LIMIT = 2**62

UNKNOWABLE = frozenset({"phone.e164", "phone.prefix", "phone.masked", "client.asn", "extra"})
"""A rule that reads the number itself may spare some numbers, and which ones cannot be tried; nor
can what a client may say on dimensions of the policy's own."""

WEEK = tuple(float(hour * 3600) for hour in range(24 * 7))

Limiting: TypeAlias = Window | Spend | Distinct | Credit
Held: TypeAlias = Mapping[str, Limiting]
"""The counters that bind whatever is chosen, by identity, with the highest of their limits."""

_noted: ContextVar[dict[str, None] | None] = ContextVar("noted", default=None)


@dataclass(frozen=True, slots=True)
class Destination:
    """Somewhere messages go: a region, or a calling code of no country (``+870``), with its price.

    ``phone`` is the shortest number there, which lies in the fewest blocks.
    """

    name: str
    price: float
    phone: Phone


@cache
def shortest_numbers() -> Mapping[str, Phone]:
    """The shortest number of every region and of every calling code that belongs to none."""
    found = {}
    for region in sorted(SUPPORTED_REGIONS):
        metadata = PhoneMetadata.metadata_for_region(region)
        found[region] = _shortest(metadata, region, country_code_for_region(region))
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        if regions == (NOWHERE,):
            metadata = PhoneMetadata.metadata_for_nongeo_region(code)
            found[f"+{code}"] = _shortest(metadata, None, code)
    return found


def held(
    rule: Rule, destinations: Sequence[Destination], addresses_known: bool
) -> list[Held | None]:
    """What a rule holds against any message to each destination; ``None`` if it refuses every one
    outright."""
    if rule.mode != "enforce":
        return [{} for _ in destinations]
    try:
        return [_common(_outcomes(rule, there, addresses_known)) for there in destinations]
    except _TooManyChoices:
        return [{} for _ in destinations]


class _TooManyChoices(Exception):
    """A rule depends on more facts than can be tried in all combinations."""


def _common(outcomes: Iterator[Held | None]) -> Held | None:
    """The counters that bind in all outcomes but those that refuse outright."""
    common: Held | None = None
    for tried, outcome in enumerate(outcomes):
        if tried >= MOST_CHOICES:
            raise _TooManyChoices
        if common is None:
            common = outcome
        elif outcome is not None:
            common = {key: higher(c, outcome[key]) for key, c in common.items() if key in outcome}
        if common is not None and not common:
            return common
    return common


def _outcomes(rule: Rule, there: Destination, addresses_known: bool) -> Iterator[Held | None]:
    """What the rule holds against every choice that makes a difference to it."""
    choices = _choices(there, addresses_known)
    todo: list[dict[str, Any]] = [{"proved": False}, {"proved": True}]
    while todo:
        chosen = todo.pop()
        outcome, read = _watched(rule, there, {name: v[0] for name, v in choices.items()} | chosen)
        fresh = next((name for name in read if name in choices and name not in chosen), None)
        if not UNKNOWABLE.isdisjoint(read):
            yield {}
        elif fresh is None:
            yield outcome
        else:
            todo += [{**chosen, fresh: value} for value in reversed(choices[fresh])]


def _choices(there: Destination, addresses_known: bool) -> dict[str, Sequence[Any]]:
    """Every fact that is the attacker's to choose, with its values, the plainest first."""
    network = ["192.0.2.1"] if addresses_known else ["192.0.2.1", None]
    nowhere = ["satellite"] if there.phone.calling_code in SATELLITE else None
    return {
        "phone.line_type": nowhere or _LINES,
        "phone.valid": [True, False],
        "client.country": [there.phone.region, None, *_REGIONS],
        "client.kind": _KINDS,
        "client.network": network,
        "client.address": network,
        "client.site": [None, "2001:db8::/48"],
        "at": WEEK,
        "session": [None, "s"],
        "account": [None, "a"],
        "device": [None, "d"],
    }


def _watched(
    rule: Rule, there: Destination, facts: Mapping[str, Any]
) -> tuple[Held | None, Sequence[str]]:
    """What the rule holds against one choice, and which facts it read."""
    own = there.phone
    phone = _Phone(
        own.e164, own.region, own.calling_code, facts["phone.line_type"], facts["phone.valid"]
    )
    client = _Client(
        *(facts[f"client.{name}"] for name in ("address", "network", "site", "country", "kind"))
    )
    keys, proved = (facts["session"], facts["account"], facts["device"]), facts["proved"]
    attempt = _Attempt(phone, client, facts["at"], there.price, *keys, proved)
    noted: dict[str, None] = {}
    token = _noted.set(noted)
    try:
        outcome = _outcome(rule, attempt, proved)
    finally:
        _noted.reset(token)
    return outcome, tuple(noted)


def _outcome(rule: Rule, attempt: Attempt, proved: bool) -> Held | None:
    counters: Sequence[Counter] = ()
    with suppress(Exception):  # a rule that raises is left out, as it is under a guard
        counters = rule.counters(attempt)
    if counters or rule.needs_readings:
        return _binding(counters, proved)
    try:
        finding = rule.judge(attempt, ())
    except Exception:
        return {}
    return {} if finding is None or met(finding.action, proved) else None


def _binding(counters: Sequence[Counter], proved: bool) -> dict[str, Limiting]:
    found: dict[str, Limiting] = {}
    for counter in counters:
        if isinstance(counter, Limiting) and not met(counter.action, proved):
            key = " ".join(filter(None, (counter.identity(), counter.member)))
            other = found.get(key)
            found[key] = counter if other is None or counter.limit < other.limit else other
    return found


def higher(one: Limiting, other: Limiting) -> Limiting:
    """The counter with the higher limit: asked with two limits, it lets through what that one does.

    Unless it counts attempts: asked with the lower limit, it may forget what the higher one would
    have to know, and nothing is certain.
    """
    if isinstance(one, Window) and isinstance(other, Window):
        if replace(one, action=other.action) == other:
            return one
        if one.counts == "attempts":
            return replace(one, limit=NO_LIMIT)
        reserved = max(one.reserved, other.reserved)
        return replace(
            one,
            limit=max(one.for_all, other.for_all) + reserved,
            max_factor=max(one.max_factor, other.max_factor),
            reserved=reserved,
        )
    if isinstance(one, Spend) and isinstance(other, Spend):
        highest = one if one.limit >= other.limit else other
        return replace(highest, verified=min(one.verified, other.verified))
    return one if one.limit >= other.limit else other


def _shortest(metadata: Any, region: str | None, code: int) -> Phone:
    general = metadata.general_desc
    length = min(general.possible_length + general.possible_length_local_only)
    return Phone(f"+{code}{'2' * length}", region, code)


class _Noting:
    """Notes which facts are read, by the dotted name that `_choices` has for them."""

    __slots__ = ()
    _path: ClassVar = ""

    def __getattribute__(self, name: str) -> Any:
        noted = _noted.get()
        if noted is not None:
            noted[type(self)._path + name] = None
        return super().__getattribute__(name)


class _Phone(_Noting, Phone):
    __slots__ = ()
    _path = "phone."


class _Client(_Noting, Client):
    __slots__ = ()
    _path = "client."


class _Attempt(_Noting, Attempt):
    __slots__ = ()


_LINES: Sequence[LineType] = [line for line in get_args(LineType) if line != "satellite"]
_KINDS: Sequence[NetworkKind] = get_args(NetworkKind)
_REGIONS: Sequence[str] = sorted(SUPPORTED_REGIONS)
