"""Helpers for the tests of apps that use pumpguard, and for simulations. Not for production."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from itertools import count
from typing import Any

from pumpguard.attempt import Attempt, Client
from pumpguard.challenges.base import Challenge, Verdict
from pumpguard.decision import Decision
from pumpguard.guard import Guard
from pumpguard.intake.address import network_of, parse_address, site_of
from pumpguard.intake.network import UnknownNetworks
from pumpguard.intake.phone import canonical
from pumpguard.policy import Policy
from pumpguard.rules import Rule, RuleFunction

__all__ = ["FakeClock", "SimulatedHuman", "Trial", "make_attempt"]


class SimulatedHuman(Challenge):
    """A challenge that the header ``X-Sim-Human: 1`` solves, or else a solution of ``beside``."""

    carried_in: Sequence[str] = ("header:x-sim-human",)

    def __init__(self, beside: Challenge | None = None) -> None:
        self._beside = beside
        if beside is not None:
            self.carried_in = (*self.carried_in, *beside.carried_in)
            self.longest, self.lifetime = beside.longest, beside.lifetime

    def solved(self, said: str, attempt: Attempt) -> Verdict | Awaitable[Verdict]:
        if said == "1" or self._beside is None:
            return said == "1"
        return self._beside.solved(said, attempt)

    def pose(self, decision: Decision) -> Mapping[str, object] | None:
        return None if self._beside is None else self._beside.pose(decision)

    async def aclose(self) -> None:
        if self._beside is not None:
            await self._beside.aclose()


class FakeClock:
    """A clock that only moves when told to; pass it as ``clock=``."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """What time it is."""
        return self.now

    def advance(self, seconds: float) -> float:
        """Let seconds pass; the time after them."""
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


_numbers = count(1)


class Trial:
    """Some rules on their own: a guard with nothing else, over memory, with a clock to move.

    ``start`` is the Unix time in seconds at which the clock stands. Other settings are the
    policy's, such as ``settled=True`` for rules that need verifications: they are enforced, as
    where one was heard before.
    """

    def __init__(
        self, *rules: Rule | RuleFunction, start: float = 1_700_000_000.0, **settings: Any
    ) -> None:
        self.clock = FakeClock(start)
        named = {"name": f"trial-{next(_numbers)}", "rules": (), "extra_rules": rules}
        policy = Policy(send="/send", **{**named, **settings})
        self.guard = Guard(
            policy, clock=self.clock, networks=UnknownNetworks(), challenge=SimulatedHuman()
        )
        self.guard.observations.hearing.hear()

    async def send(self, *args: Any, **facts: Any) -> Decision:
        """The decision about one attempt, made now by `make_attempt` of these arguments."""
        return await self.guard.assess(make_attempt(*args, at=self.clock.now, **facts))
