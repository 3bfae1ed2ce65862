"""The vocabulary of the simulation: what an actor may do, and what it hears back.

An actor is a plain generator. It yields ``Call`` (one HTTP request) or ``Wait`` (so many simulated
seconds) and receives a ``Reply`` for either; it knows neither the event loop nor the target.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

Json: TypeAlias = Mapping[str, Any]
"""A decoded JSON object."""

NO_JSON: Json = {}


class Call(NamedTuple):
    """One HTTP request, made at the actor's current simulated time.

    ``meant`` is the number in E.164 that a request for a message asks for, however it is typed.
    """

    method: Literal["GET", "POST"]
    path: str
    json: Json | None = None
    address: str | None = None
    human: bool = False
    meant: str | None = None


class Wait(NamedTuple):
    """Let simulated time pass."""

    seconds: float


class Reply(NamedTuple):
    """What came back; after a ``Wait`` only ``at`` means anything."""

    at: float
    status: int = 0
    json: Json = NO_JSON
    retry_after: float | None = None

    @property
    def sent(self) -> bool:
        """True if the app says that it sent the message."""
        return 200 <= self.status < 300

    @property
    def challenged(self) -> bool:
        """True if the app wants proof of a human first."""
        return self.status == 403 and str(self.json.get("type", "")).endswith("/challenge")


Actor: TypeAlias = Generator[Call | Wait, Reply, None]
"""Yields what it does next and receives the reply."""


class Start(NamedTuple):
    """An actor, when it begins, and whose side it is on (an attack's name, or ``users``)."""

    at: float
    side: str
    actor: Actor


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request for a message as it happened: the raw material of the scorecard.

    ``phone`` is the number that was meant, in E.164.
    """

    at: float
    side: str
    phone: str
    status: int
    human: bool
    challenged: bool


@dataclass(slots=True)
class Log:
    """Everything that was asked of the target in one run."""

    exchanges: list[Exchange] = field(default_factory=list)
    calls: int = 0


def draws(seed: int, kind: str, number: int = 0) -> random.Random:
    """A generator of its own for one actor, so nobody's draws depend on what others do."""
    return random.Random(f"{seed}:{kind}:{number}")
