"""Conversion: what gets verified, in every store; and how often it is wrong."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from pumpguard.counters import Conversion
from pumpguard.decision import Action
from pumpguard.store.base import Outcome, Store
from tests.store.asking import PHONE, PULSE, START, About, ask, conversion, settle, window

RIPE = {"matures_after": 100_000}
"""The questions' ms; slices are 50 s wide."""


async def send(store: Store, n: int, about: About | None = None, at: float = 0.0) -> None:
    for _ in range(n):
        await ask(store, about or conversion(), at=at, **RIPE)


async def outcomes(store: Store, n: int, outcome: Outcome = "verified", **more: Any) -> None:
    told: dict[str, Any] = {"sent_at": int(START * 1000), "at": 14.0, **more}
    for i in range(n):
        # People differ in everything; bots do not.
        fresh = {"network": f"n{i}", "last4": i * 97 % 10_000, "age": 9_000 + i * 7_919 % 30_000}
        await settle(store, conversion(), outcome=outcome, **{**told, **fresh, **more})


async def test_twenty_sends_that_nobody_verifies_are_an_alarm(store: Store) -> None:
    """Once they have matured, and not before; then everything is refused for half an hour."""
    await send(store, 20)
    early = await ask(store, conversion(), at=140, **RIPE)
    assert early.admitted
    alarm = await ask(store, conversion(), at=160, **RIPE)
    assert not alarm.admitted
    assert alarm.readings[0].used == 20 * 642
    assert alarm.readings[0].detail == (20, 0)
    assert alarm.readings[0].wait == 1_800
    again = await ask(store, conversion(), at=1_000, **RIPE)
    assert again.readings[0].wait == 960
    over = await ask(store, conversion(), at=160 + 1_800, **RIPE)
    assert over.admitted
    assert over.readings[0].used == 0


async def test_the_alarm_is_written_by_a_refused_request_too(store: Store) -> None:
    """Else it would begin anew with each request, and never end."""
    await send(store, 20)
    for at in (160, 500, 1_000, 1_900):
        assert not (await ask(store, conversion(), at=at, refused=True, **RIPE)).admitted
    assert (await ask(store, conversion(), at=1_960, **RIPE)).admitted


async def test_an_alarm_may_last_for_days(store: Store) -> None:
    """Longer than an idle subject is remembered otherwise."""
    about = conversion(refuse_for=4 * 86_400)
    await send(store, 20, about)
    assert not (await ask(store, about, at=200, **RIPE)).admitted
    assert not (await ask(store, about, at=3 * 86_400, **RIPE)).admitted
    assert (await ask(store, about, at=200 + 4 * 86_400, **RIPE)).admitted


async def test_nineteen_are_not_enough(store: Store) -> None:
    """Below the minimum nothing is concluded, however bad it looks."""
    await send(store, 19)
    answer = await ask(store, conversion(), at=200, **RIPE)
    assert answer.admitted
    assert answer.readings[0].used == 19 * 642


async def test_sends_mature_at_the_latest_after_ten_minutes(store: Store) -> None:
    """Without a learned time it is the counter's own."""
    await send(store, 20)
    assert (await ask(store, conversion(), at=640)).admitted
    assert not (await ask(store, conversion(), at=660)).admitted


async def test_half_of_them_verified_is_health(store: Store) -> None:
    """In whatever order: a slice is scored as a whole."""
    await send(store, 200)
    await outcomes(store, 100)
    answer = await ask(store, conversion(), at=200, **RIPE)
    assert answer.admitted
    assert answer.readings[0].detail == (200, 100)


async def test_late_verifications_undo_the_failure(store: Store) -> None:
    """Somebody who took longer than it takes to mature was no failure."""
    await send(store, 15)
    await send(store, 1, at=200)
    assert (await ask(store, conversion(), at=200, **RIPE)).readings[0].used == 15 * 642
    await outcomes(store, 2, at=210.0)
    answer = await ask(store, conversion(), at=210, **RIPE)
    assert answer.readings[0].used == 15 * 642 - 2 * (642 + 2303)
    assert answer.readings[0].detail == (15, 2)


async def test_what_proves_nothing_is_taken_out(store: Store) -> None:
    """A resend, or a number that has counted today."""
    await send(store, 30)
    for _ in range(15):
        told: dict[str, Any] = {"sent_at": int(START * 1000), "at": 10.0}
        await settle(store, conversion(), outcome="repeated", **told)
    answer = await ask(store, conversion(), at=200, **RIPE)
    assert answer.admitted
    assert answer.readings[0].detail == (15, 0)


async def test_a_request_that_something_else_refuses_is_no_send(store: Store) -> None:
    """All or nothing: refused requests cannot give a block of numbers a bad name."""
    for _ in range(30):
        await ask(store, conversion(), window(1), **RIPE)
    answer = await ask(store, conversion(), at=200, **RIPE)
    assert answer.readings[0].detail == (1, 0)


@pytest.mark.parametrize(
    "how",
    [
        {"age": 1_500},  # as fast as no human
        {"age": 9_000},  # as regular as no human
        {"network": "one"},
        {"last4": 1_234},
    ],
)
async def test_verifications_that_look_made_are_worth_less(
    store: Store, how: dict[str, Any]
) -> None:
    """Sixty sends of which twenty verify are health, unless the twenty look like one bot."""
    human: dict[str, Any] = {}
    sums = []
    for subject, manner in (("prefix:4", human), ("prefix:5", how)):
        about = conversion(subject)
        for _ in range(60):
            await ask(store, about, **RIPE)
        for i in range(20):
            told = {
                "age": 9_000 + i * 7_919 % 30_000,
                "network": f"n{i}",
                "last4": i * 97,
                **manner,
            }
            sent = int(START * 1000)
            await settle(store, about, sent_at=sent, at=14.0, **told)
        sums.append((await ask(store, about, at=200, **RIPE)).readings[0].used)
    assert sums[0] < sums[1]


async def test_one_network_is_its_own_network(store: Store) -> None:
    """Where the subject is an office, it is no wonder that everybody comes from it."""
    about = conversion("network")
    await send(store, 40, about)
    for i in range(20):
        told = {"age": 9_000 + i * 7_919 % 30_000, "network": "office", "last4": i * 97}
        await settle(store, about, sent_at=int(START * 1000), at=14.0, **told)
    assert (await ask(store, about, at=200, **RIPE)).readings[0].used == 0


WATCHED = (About(PULSE), conversion())


async def beat(store: Store, start: float, n: int) -> float:
    """Somebody somewhere verifies every ten seconds."""
    for i in range(n):
        await settle(store, About(PULSE), at=start + 10 * i)
    return start + 10 * (n - 1)


async def test_an_outage_freezes_conversion(store: Store) -> None:
    """When nobody verifies anything, no block of numbers is to blame."""
    at = await beat(store, 0, 500)
    for n in range(40):
        await ask(store, *WATCHED, at=at + 5 * n, **RIPE)
    down = await ask(store, *WATCHED, at=at + 400, **RIPE)
    assert down.admitted
    assert down.readings[0].used >= 9_000
    assert down.readings[1].detail[0] < 10  # those that matured before it was noticed
    back = await beat(store, at + 410, 10)
    after = await ask(store, *WATCHED, at=back, **RIPE)
    assert after.readings[0].used == 0
    assert after.readings[1].detail[0] < 10


async def test_an_alarm_does_not_bind_during_an_outage(store: Store) -> None:
    """It may have been raised by the first minutes of it."""
    at = await beat(store, 0, 500)
    for _ in range(20):
        await ask(store, *WATCHED, at=at - 300, **RIPE)
    assert not (await ask(store, *WATCHED, at=at, **RIPE)).admitted
    for n in range(60):  # of others
        await ask(store, About(PULSE), at=at + 10 * n)
    assert (await ask(store, *WATCHED, at=at + 600, **RIPE)).admitted


async def test_without_any_pulse_nothing_is_concluded(store: Store) -> None:
    """An app that never tells outcomes is no reason to refuse everybody."""
    await beat(store, 0, 19)
    for _ in range(60):
        await ask(store, *WATCHED, at=200, **RIPE)
    answer = await ask(store, *WATCHED, at=900, **RIPE)
    assert answer.admitted
    assert not answer.readings[0].full


async def test_outcomes_reach_it_with_the_rest(store: Store) -> None:
    """A send, its ticket and its verification."""
    await ask(store, *PHONE, conversion(), price=1, ticket=b"1234", **RIPE)
    await outcomes(store, 1)
    assert (await ask(store, conversion(), at=200, **RIPE)).readings[0].detail == (1, 1)


async def test_a_monitored_one_shows_what_it_would_have_done(store: Store) -> None:
    """It is full and refuses nobody."""
    about = replace(conversion(action=Action.CHALLENGE), binds=False)
    await send(store, 20, about)
    answer = await ask(store, about, at=200, **RIPE)
    assert answer.admitted
    assert answer.readings[0].full


def healthy(seed: int, sends: int = 20_000) -> bool:
    """Whether a subject of which half converts gets through so many sends without an alarm."""
    chance, total = random.Random(seed), 0
    fail, ok, alarm = Conversion("v", "country").steps
    for _ in range(sends):
        total = max(0, total + (-ok if chance.random() < 0.5 else fail))
        if total >= alarm:
            return False
    return True


def test_false_alarms_are_rare() -> None:
    """At most 2.5 % of healthy subjects in 20,000 sends, each in a slice of its own."""
    assert sum(not healthy(seed) for seed in range(120)) <= 3
