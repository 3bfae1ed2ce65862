"""Conversion: a range whose codes nobody enters, and a provider that is down."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, Decision, PolicyError
from pumpguard.rules import Conversion
from tests.rules.trying import Trying


def trying(**settings: Any) -> Trying:
    return Trying(Conversion(**{"by": ["prefix:4", "country"], **settings}), settled=True)


async def live(app: Trying, phones: list[str], verified: float, *, every: float = 60.0) -> int:
    """Send to each, of whom a part enters the code 14 s later; returns how many were refused."""
    refused, due = 0, 0.0
    for phone in phones:
        app.asked += 1  # everybody comes from an address of their own
        admitted = await app.allows(phone, f"198.51.{app.asked // 250}.{app.asked % 250}")
        refused += not admitted
        due += verified * admitted
        app.clock.advance(8 + app.asked % 13)
        if due >= 1:
            due -= 1
            await app.verified(phone)
        app.clock.advance(every)
    return refused


def spread(count: int, start: int = 0) -> list[str]:
    """Numbers far apart, in blocks of their own."""
    return [f"+4474{(start + i) * 7919 % 10**8:08}" for i in range(count)]


async def test_a_block_that_nobody_verifies_is_refused_while_the_country_is_not() -> None:
    app = trying()
    await live(app, spread(100), 0.8)
    block = [f"+447400{number:06}" for number in range(230_000, 230_100)]
    admitted = 0
    for number, phone in enumerate(block):
        assert await live(app, spread(1, 500 + number), 1.0, every=5) == 0
        admitted += await app.allows(phone, f"203.0.113.{number}")
    assert 20 <= admitted < 60
    decision = await app.send(block[50], after=1)
    assert decision.finding is not None
    assert decision.finding.code == "CONVERSION_LOST"
    assert decision.finding.evidence["by"] == "prefix:4"
    assert decision.finding.evidence["verified"] == 0


async def test_ordinary_users_are_never_refused() -> None:
    app = trying()
    assert await live(app, spread(1_500), 0.72, every=20) == 0


async def test_a_whole_country_is_asked_for_proof_and_not_refused() -> None:
    """A spray over all its numbers must not take the country's people out."""
    app = trying(by=["country"])
    await live(app, spread(100), 0.8)
    for number in range(200):
        await app.allows(f"+4477{number * 7_654_321 % 10**8:08}", f"203.0.113.{number}")
        await live(app, spread(1, 500 + number // 4), float(number % 4 == 0), every=2)
    asked = await app.send("+447500123456", after=1)
    assert asked.action is Action.CHALLENGE
    assert await app.allows("+447500123456", proved=True)


async def test_an_outage_refuses_nobody_and_is_told_once() -> None:
    """Half an hour without any verification: it is the provider, not a thousand attackers."""
    app = trying()
    await live(app, spread(200), 0.8, every=10)
    refused = await live(app, spread(150, 1_000), 0.0, every=0)
    assert refused == 0
    assert [alert.code for alert in app.alerts] == ["PROVIDER_OUTAGE"]
    assert await live(app, spread(200, 3_000), 0.8, every=10) == 0


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"p0": 0.05, "p1": 0.5}, "rules.conversion.p0"),
        ({"h": 0.0}, "rules.conversion.h"),
        ({"minimum": 0}, "rules.conversion.minimum"),
        ({"seconds": 5}, "rules.conversion.seconds"),
        ({"refuse_for": 0}, "rules.conversion.refuse_for"),
        ({"by": []}, "rules.conversion.by"),
        ({"by": ["the galaxy"]}, "rules.conversion.by.0"),
        ({"proof_by": ["country", "the galaxy"]}, "rules.conversion.proof_by.1"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError) as caught:
        Conversion(**settings)
    assert caught.value.path == path


RANGE = "+9477"
"""A million numbers of a country, as far as this test is concerned."""


def bought(**settings: Any) -> Trying:
    proof_by = ["prefix:6+client_abroad", "country+client_abroad"]
    return trying(by=["prefix:6", "network"], proof_by=proof_by, except_regions=["GB"], **settings)


async def attacked(app: Trying, messages: int) -> list[Decision]:
    """Somebody who buys every proof, a message every 90 seconds, while others live."""
    decisions = []
    for n in range(messages):
        app.asked += 1
        address = f"203.0.{app.asked // 250}.{app.asked % 250}"
        facts: dict[str, Any] = {"address": address, "country": "GB", "after": 45}
        phone = f"{RANGE}{4_000_000 + n * 7_919 % 10**6}"
        decision = await app.send(phone, **facts)
        if not decision.allowed:
            decision = await app.send(phone, proved=True, **{**facts, "after": 0})
        decisions.append(decision)
        await live(app, spread(1, 5_000 + app.asked), 1.0, every=30)
    return decisions


async def test_proof_that_never_converts_buys_nothing() -> None:
    """Of a day of it some twenty messages go out, and two after each pause."""
    app = bought()
    await live(app, spread(60), 0.8)
    decisions = await attacked(app, 800)
    assert sum(decision.allowed for decision in decisions) <= 30
    finding = decisions[-1].finding
    assert finding is not None
    assert finding.code == "PROOF_LOST"
    assert finding.action is Action.THROTTLE
    assert finding.evidence["verified"] == 0


async def test_people_of_that_range_are_served_at_home() -> None:
    """Whoever travels with such a number is one of many bots; the others are not."""
    app = bought()
    await live(app, spread(60), 0.8)
    await attacked(app, 100)
    at_home = [f"{RANGE}{n * 7_907 % 10**7:07}" for n in range(40)]
    for n, phone in enumerate(at_home):
        assert await app.allows(phone, f"198.18.0.{n}", country="LK", after=60)
        await app.verified(phone)
    abroad = await app.send(f"{RANGE}1234567", "198.18.9.9", country="GB", proved=True)
    assert abroad.action is Action.THROTTLE


async def test_travellers_from_a_range_that_nobody_attacks_are_not_even_asked() -> None:
    """Two of three enter their codes, as people do."""
    app = bought()
    await live(app, spread(60), 0.8)
    for n in range(300):
        phone = f"{RANGE}{n * 7_907 % 10**7:07}"
        assert await app.allows(phone, f"198.18.{n // 250}.{n % 250}", country="GB", after=30)
        if n % 3:
            app.clock.advance(8 + n % 13)
            await app.verified(phone)


async def test_numbers_of_other_regions_are_not_watched_by_proof() -> None:
    app = bought()
    await live(app, spread(60), 0.8)
    for n in range(60):
        await app.allows(
            f"+447400{n * 7_919 % 10**6:06}", f"198.18.1.{n}", country="FR", proved=True, after=60
        )
        await live(app, spread(1, 9_000 + n), 1.0, every=30)
    assert await app.allows("+447400555555", "198.18.2.1", country="FR", proved=True)
