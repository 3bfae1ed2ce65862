"""The bodies that the service reads, each name and type of them stated, and nothing else accepted.

What two programs could read as two things is refused, as in a guarded request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, Literal, Protocol, TypeVar, cast, get_args, get_origin, get_type_hints

from starlette.requests import Request

from pumpguard.attempt import Attempt
from pumpguard.config import describe, join, require
from pumpguard.errors import IntakeError, PolicyError
from pumpguard.guard import Guard
from pumpguard.intake.address import parse_address
from pumpguard.intake.body import read_body
from pumpguard.intake.decode import sound
from pumpguard.intake.dimensions import key_text
from pumpguard.intake.fields import decode_json
from pumpguard.outcomes.reports import MessageOutcome

T = TypeVar("T")

MAX_BODY, BODY_DEADLINE = 262_144, 5.0
"""Bytes of a body, and seconds for all of it."""

MAX_BATCH = 100

JSON_ONLY = IntakeError(
    415, "unsupported-body", "Unsupported body", "The body is JSON in UTF-8: application/json."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """Somebody asks for a message: the arguments of `Guard.attempt`. The client of the service is
    believed, because its token is: ``address`` is that of the person, and ``proved`` says that a
    challenge was solved, ``solution`` which one, where it may count only once."""

    phone: str
    address: str | None = None
    session: str | int | None = None
    account: str | int | None = None
    device: str | int | None = None
    proved: bool = False
    solution: str | None = None
    extra: dict[str, str | int] = field(default_factory=dict)

    def attempt(self, guard: Guard) -> Attempt:
        """What it is about. Raises `IntakeError` and `PolicyError`."""
        if self.address is not None and parse_address(self.address) is None:
            raise PolicyError("address", "an IPv4 or IPv6 address, or null")
        return guard.attempt(
            self.phone,
            self.address,
            session=key_text(self.session),
            account=key_text(self.account),
            device=key_text(self.device),
            proved=self.proved,
            solution=key_text(self.solution),
            extra={name: str(value) for name, value in self.extra.items()},
        )


class Told(Protocol):
    """Something that a guard can be told."""

    def tell(self, guard: Guard) -> None:
        """Tell it. Raises `IntakeError` or `TicketError` for what makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A code was entered for this number."""

    phone: str

    def tell(self, guard: Guard) -> None:
        guard.verified(self.phone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What became of a message."""

    ticket: str
    outcome: MessageOutcome

    def tell(self, guard: Guard) -> None:
        guard.settle(self.ticket, self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A decision, by the id that its answer had."""

    id: str


async def json_body(request: Request) -> object:
    """The JSON of a request. Raises `IntakeError`."""
    media = request.headers.get("content-type", "").lower().replace(" ", "")
    if media not in ("application/json", "application/json;charset=utf-8"):
        raise JSON_ONLY
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise JSON_ONLY
    return decode_json(await read_body(request.receive, MAX_BODY, BODY_DEADLINE))


def one_or_many(cls: type[T], name: str, found: object) -> T | list[T]:
    """One body of this kind, or under ``name`` up to a hundred. Raises `PolicyError` and
    `IntakeError`."""
    if not (isinstance(found, dict) and name in found):
        return read_as(cls, found)
    whole = dict(found.items())  # refuses names that are there twice
    many = whole.pop(name)
    require(not whole, "body", f"nothing beside {name}")
    right = isinstance(many, list) and 0 < len(many) <= MAX_BATCH
    require(right, name, f"a list of 1 to {MAX_BATCH}")
    return [read_as(cls, each, f"{name}.{i}") for i, each in enumerate(many)]


def read_as(cls: type[T], found: object, path: str = "") -> T:
    """One body of this kind. Raises `PolicyError` and `IntakeError`."""
    if not isinstance(found, dict):
        raise PolicyError(path or "body", "a JSON object")
    known, required = _known(cast(Any, cls))
    table = dict(found.items())
    if not table.keys() <= known.keys():
        raise PolicyError(path or "body", f"no names but {', '.join(known)}")
    for name in required:
        if name not in table:
            raise PolicyError(join(path, name), "to be given")
    for name, value in table.items():
        is_right, expected = known[name]
        table[name] = value = dict(value.items()) if isinstance(value, dict) else value
        if not is_right(value):
            raise PolicyError(join(path, name), expected)
        sound([*value, *value.values()] if isinstance(value, dict) else value)
    return cls(**table)


@cache
def _known(cls: Any) -> tuple[Mapping[str, tuple[Callable[[Any], bool], str]], tuple[str, ...]]:
    """The names of a body, each with what is right there, also in words; then which it needs."""
    hints = get_type_hints(cls)
    known = {
        each.name: (_right(hints[each.name]), describe(hints[each.name])) for each in fields(cls)
    }
    needed = [e.name for e in fields(cls) if e.default is MISSING and e.default_factory is MISSING]
    return known, tuple(needed)


def _right(hint: Any) -> Callable[[Any], bool]:
    """Whether a value is of this type, and no other: a truth value is no number here."""
    args = get_args(hint)
    if get_origin(hint) is Literal:
        return lambda value: type(value) is str and value in args
    if get_origin(hint) is dict:
        types = get_args(args[1])
        return lambda value: type(value) is dict and {type(e) for e in value.values()} <= {*types}
    return lambda value: type(value) in (args or (hint,))
