"""Conversion that asks for proof first, then refuses it too, and opens by half-open steps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pumpguard.counters import Conversion
from pumpguard.decision import Action
from pumpguard.store.base import Answer, Store
from tests.store.asking import PHONE, START, About, ask, settle, trust, verify

RIPE = {"matures_after": 100_000}
"""ms; slices are 50 s wide."""

ASKS = Conversion(
    "conversion", "prefix:4", h=3.0, minimum=4, refuse_for=600, probes=2, longest=3_000,
    action=Action.CHALLENGE,
)  # fmt: skip
"""Five that nobody verifies are an alarm."""
WITHOUT_PROOF = About(ASKS)
WITH_PROOF = About(replace(ASKS, proved=True, action=Action.THROTTLE))


async def send(store: Store, about: About, at: float, n: int = 1) -> Answer:
    for _ in range(n):
        answer = await ask(store, about, at=at, **RIPE)
    return answer


async def alarmed(store: Store) -> None:
    """Five messages that nobody verified; the next request finds the alarm."""
    await send(store, WITHOUT_PROOF, 0, 5)
    assert not (await send(store, WITHOUT_PROOF, 200)).admitted


async def lost(store: Store) -> None:
    """And two with proof, that nobody verified either."""
    await alarmed(store)
    assert (await send(store, WITH_PROOF, 210, 2)).admitted
    assert not (await send(store, WITH_PROOF, 400)).admitted


async def entered(store: Store, at: float, **more: Any) -> None:
    """The code of a message that was sent half a minute earlier."""
    sent_at = int((START + at - 30) * 1000)
    await settle(store, WITH_PROOF, sent_at=sent_at, at=at, age=30_000, **more)


async def test_a_first_alarm_asks_for_proof(store: Store) -> None:
    await alarmed(store)
    assert not (await send(store, WITHOUT_PROOF, 210)).admitted
    assert (await send(store, WITH_PROOF, 210)).admitted


async def test_no_more_wait_than_would_be_the_next_alarm(store: Store) -> None:
    """Two with proof are on their way; the third waits until they have matured, or are verified."""
    await alarmed(store)
    assert (await send(store, WITH_PROOF, 210, 2)).admitted
    third = await send(store, WITH_PROOF, 215)
    assert not third.admitted
    assert 0 < third.readings[0].wait <= 150
    await entered(store, 240)
    assert (await send(store, WITH_PROOF, 241)).admitted


async def test_proof_that_nobody_verifies_buys_nothing(store: Store) -> None:
    await lost(store)
    refused = await send(store, WITH_PROOF, 401)
    assert not refused.admitted
    assert refused.readings[0].wait == 599
    assert not (await send(store, WITHOUT_PROOF, 401)).admitted


async def test_then_a_few_are_let_through_and_refused_for_longer_each_time(store: Store) -> None:
    await lost(store)
    at, waits = 400.0, []
    for _ in range(5):
        at += (await send(store, WITH_PROOF, at)).readings[0].wait
        assert (await send(store, WITH_PROOF, at, 2)).admitted
        assert not (await send(store, WITH_PROOF, at)).admitted
        assert not (await send(store, WITHOUT_PROOF, at)).admitted
        at += 200
        waits.append((await send(store, WITH_PROOF, at)).readings[0].wait)
    assert waits == [1_200, 2_400, 3_000, 3_000, 3_000]


async def test_verified_probes_open_it(store: Store) -> None:
    """For everybody, with proof and without."""
    await lost(store)
    assert (await send(store, WITH_PROOF, 1_000, 2)).admitted
    for n in range(2):
        await entered(store, 1_030, last4=n * 500, network=f"n{n}")
    assert (await send(store, WITHOUT_PROOF, 1_200)).admitted
    assert (await send(store, WITH_PROOF, 1_200, 10)).admitted


async def test_it_is_over_after_a_long_time_without_an_alarm(store: Store) -> None:
    await lost(store)
    assert not (await send(store, WITHOUT_PROOF, 400 + 600 + 2_999)).admitted
    assert (await send(store, WITHOUT_PROOF, 400 + 600 + 3_000)).admitted


async def test_what_was_on_its_way_is_not_held_against_those_who_prove(store: Store) -> None:
    """A hundred went out before the first five had matured: that is one alarm, not twenty."""
    await send(store, WITHOUT_PROOF, 0, 5)
    await send(store, WITHOUT_PROOF, 100, 100)
    assert not (await send(store, WITHOUT_PROOF, 160)).admitted
    assert (await send(store, WITH_PROOF, 400)).admitted


async def test_known_numbers_go_on(store: Store) -> None:
    await lost(store)
    await ask(store, *PHONE, ticket=b"1234", at=401)
    assert not (await ask(store, *PHONE, WITH_PROOF, at=402, **RIPE)).admitted
    await verify(store, at=403)
    assert (await ask(store, *PHONE, WITH_PROOF, at=404, **RIPE)).admitted
    assert (await ask(store, *PHONE, WITHOUT_PROOF, at=404, **RIPE)).admitted


async def test_addresses_whose_users_verify_go_on(store: Store) -> None:
    await lost(store)
    await ask(store, trust(), at=401)
    assert not (await ask(store, trust(), WITHOUT_PROOF, at=402, **RIPE)).admitted
    await settle(store, trust(), at=403)
    assert (await ask(store, trust(), WITHOUT_PROOF, at=404, **RIPE)).admitted


async def test_trust_in_a_whole_country_is_none_in_the_address(store: Store) -> None:
    await lost(store)
    await ask(store, trust("country"), at=401)
    await settle(store, trust("country"), at=403)
    answer = await ask(store, trust("country"), WITHOUT_PROOF, at=404, **RIPE)
    assert answer.readings[0].used > 0
    assert not answer.admitted
