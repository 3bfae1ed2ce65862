"""One comparison: a defence, its sessions, and how well their sides can be told apart."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from ..server import served
from .classifier import Told, tell_apart
from .defended import DEFENCE, LATENCY, REFUSED
from .features import of_exchange, of_session
from .session import NUMBERS, WARM, Session, compare

FACTORY = "attack_harness.tell_apart.defended:create"
PROVIDER = "0.02 0.5"
"""How long the provider takes: a median of 20 ms, so that thousands of exchanges take seconds. A
real one takes longer and varies more, which hides more."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What classifiers make of single sends, and of whole sessions."""

    defence: str
    sends: tuple[Told, ...]
    sessions: tuple[Told, ...]

    @property
    def everything(self) -> tuple[Told, ...]:
        """All of it."""
        return self.sends + self.sessions


async def observe(
    defence: str, sessions: int, *, seed: int = 1, latency: str = PROVIDER
) -> list[Session]:
    """Play that many sessions, half of them in shadow, over loopback against a server process of
    their own. Raises `RuntimeError` if what was played is not what it is called."""
    environment = {DEFENCE: defence, LATENCY: latency, "TARGET_APP_SIMULATED_TIME": "0"}
    async with _elsewhere(served(guard=True, factory=FACTORY, environ=environment)) as url:
        seen = await compare(urlsplit(url).port or 0, seed, sessions)
        async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
            traffic = (await client.get("/metrics/firewall")).json()
            bill = (await client.get("/otp/billing")).json()
    real = sum(len(each.sends) for each in seen if not each.shadowed)
    shadows = sum(len(each.sends) for each in seen if each.shadowed)
    found = bill["messages_sent"], traffic["shadow_messages"]
    # Whoever cannot tell two sides apart that are the same has proven nothing.
    if found != (real + WARM, 0 if defence == REFUSED else shadows):
        raise RuntimeError(f"billed and shadowed {found}, played {real} and {shadows}")
    return seen


@asynccontextmanager
async def _elsewhere(server: AbstractAsyncContextManager[str]) -> AsyncIterator[str]:
    """Keep the last core for ourselves: an attacker shares none with the app, and what the
    scheduler makes of two processes on one core is not what he could see."""
    cores = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if sys.platform != "linux" or len(cores) < 2:
        async with server as url:
            yield url
        return
    os.sched_setaffinity(0, cores[:-1])  # inherited by what we start
    try:
        async with server as url:
            os.sched_setaffinity(0, cores[-1:])
            yield url
    finally:
        os.sched_setaffinity(0, cores)


def judge(defence: str, seen: list[Session], seed: int = 0) -> Compared:
    """Train on what was seen."""
    sides = [each.shadowed for each in seen]
    rows = [of_exchange(each, n) for each in seen for n in range(NUMBERS)]
    owners = [n for n in range(len(seen)) for _ in range(NUMBERS)]
    sends = tell_apart(rows, [sides[n] for n in owners], owners, seed)
    whole = tell_apart([of_session(s) for s in seen], sides, list(range(len(seen))), seed)
    return Compared(defence, tuple(sends), tuple(whole))
