"""Helpers for the tests of apps that use pumpguard, and for simulations. Not for production."""

from __future__ import annotations

from starlette.datastructures import Headers

from pumpguard.attempt import Attempt, Client
from pumpguard.intake.address import network_of, parse_address, site_of
from pumpguard.intake.phone import canonical

__all__ = ["FakeClock", "SimulatedHuman", "make_attempt"]


class SimulatedHuman:
    """A challenge that the header ``X-Sim-Human: 1`` solves."""

    def solved(self, headers: Headers) -> bool:
        """Whether the request says that a human has solved it."""
        return headers.get("x-sim-human") == "1"


class FakeClock:
    """A clock that only moves when told to; pass it as ``clock=``."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """What time it is."""
        return self.now

    def advance(self, seconds: float) -> float:
        """Let time pass, and say what time it is."""
        self.now += seconds
        return self.now


def make_attempt(
    phone: str = "+447400123456",
    address: str | None = "81.2.69.142",
    *,
    country: str | None = None,
    **facts: object,
) -> Attempt:
    """An attempt from as little as a test cares about; ``country`` is the client's."""
    found = parse_address(address) if address else None
    client = Client() if found is None else Client(
        str(found), network_of(found), site_of(found), country, "residential"
    )  # fmt: skip
    return Attempt(phone=canonical(phone), client=client, **facts)  # type: ignore[arg-type]
