"""The pulse: whether verifications arrive at all, in every store."""

from __future__ import annotations

import random

from pumpguard.counters import Pulse
from pumpguard.store.base import Store
from tests.models.pulse import PulseModel
from tests.store.asking import PULSE, START, About, ask, settle, watched

ABOUT = About(PULSE)


async def verifications(store: Store, n: int, every: float, start: float = 0.0) -> float:
    for i in range(n):
        await settle(store, ABOUT, at=start + i * every)
    return start + (n - 1) * every


async def test_silence_after_a_steady_rate_is_an_outage(store: Store) -> None:
    """One a minute: after some sixteen that have not come."""
    last = await verifications(store, 200, every=60)
    assert not (await ask(store, ABOUT, at=last + 600)).readings[0].full
    answer = await ask(store, ABOUT, at=last + 1_200)
    assert answer.readings[0].full
    assert answer.admitted


async def test_an_outage_has_one_beginning(store: Store) -> None:
    """By which whoever tells of it tells once."""
    last = await verifications(store, 200, every=60)
    found = {
        (await ask(store, ABOUT, at=last + minutes * 60)).readings[0].detail[1]
        for minutes in (20, 21, 60, 300)
    }
    assert len(found) == 1
    assert last + 800 < found.pop() / 1000 - START < last + 1_200


async def test_it_ends_when_verifications_come_back(store: Store) -> None:
    """A handful; a single one that got through is no recovery."""
    last = await verifications(store, 200, every=60)
    down = last + 3_600
    await settle(store, ABOUT, at=down)
    assert (await ask(store, ABOUT, at=down + 1)).readings[0].full
    await verifications(store, 5, every=30, start=down + 30)
    answer = await ask(store, ABOUT, at=down + 151)
    assert not answer.readings[0].full
    assert answer.readings[0].detail == (206, 0)


async def test_nothing_is_said_before_twenty(store: Store) -> None:
    """A rate has to be founded on something."""
    last = await verifications(store, 19, every=1)
    assert not (await ask(store, ABOUT, at=last + 3_000)).readings[0].full


async def test_only_what_counts_is_a_beat(store: Store) -> None:
    """One number that verifies all day cannot hide an outage."""
    for i in range(100):
        await settle(store, ABOUT, outcome="repeated", at=i * 10)
    assert (await ask(store, ABOUT, at=1_000)).readings[0].detail == (0, 0)


async def test_it_never_refuses(store: Store) -> None:
    """Whatever the question says it may do."""
    last = await verifications(store, 100, every=10)
    for about in (ABOUT, watched(ABOUT)):
        answer = await ask(store, about, at=last + 900)
        assert (answer.admitted, answer.readings[0].full) == (True, True)


def outages(rate: float, days: float, seed: int) -> int:
    """How many times an outage is seen where there is none: Poisson arrivals at a steady rate."""
    chance, pulse, usual = random.Random(seed), PulseModel(), Pulse("p")
    now, seen, standing = 1_700_000_000_000, 0, False
    end = now + int(days * 86_400_000)
    while now < end:
        now += max(1, round(chance.expovariate(rate / 60_000)))
        seen += pulse.at(usual, now)[1] > 0 and not standing
        pulse.verified(usual, now)
        standing = pulse.at(usual, now)[1] > 0
    return seen


def test_false_outages_are_rare() -> None:
    """Three verifications a minute for a hundred days, and hardly ever a false word."""
    assert outages(rate=3, days=100, seed=1) <= 1
