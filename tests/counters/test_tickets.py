"""Tickets: a message's outcome reaches its subjects once, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpguard.counters import Tickets
from pumpguard.counters.tickets import LONGEST_SEGMENT
from pumpguard.store.base import DAY, Store
from tests.store.asking import (
    PHONE,
    REFUNDS,
    START,
    TICKETS,
    About,
    ask,
    conversion,
    credit,
    redeem,
    settle,
    settlement,
    spend,
    trust,
    watched,
    window,
)

FAILED = (About(TICKETS), About(REFUNDS))


async def test_an_admission_leaves_a_ticket_that_a_verification_redeems(store: Store) -> None:
    """With its time and its price; the newest first."""
    for n in range(3):
        answer = await ask(store, *PHONE, price=100 + n, ticket=bytes([n] * 4), at=n)
        assert answer.ticket == bytes([n] * 4)
    redeemed = await redeem(store, at=10)
    assert redeemed.counts
    assert redeemed.at == (START + 10) * 1000
    assert [each.ticket[0] for each in redeemed.tickets] == [2, 1, 0]
    assert [each.price for each in redeemed.tickets] == [102, 101, 100]
    assert [each.at - START * 1000 for each in redeemed.tickets] == [2000, 1000, 0]


async def test_a_refused_request_gets_none(store: Store) -> None:
    """Nothing was sent, so there is nothing to tell."""
    await ask(store, *PHONE, window(1))
    assert (await ask(store, *PHONE, window(1), ticket=b"1234")).ticket == b""
    assert (await redeem(store)).tickets == ()


async def test_redeeming_twice_is_redeeming_once(store: Store) -> None:
    """Whoever submits the same code again, or repeats a call that was lost."""
    await ask(store, *PHONE, ticket=b"1234")
    first, second = await redeem(store, at=1), await redeem(store, at=2)
    assert (first.counts, len(first.tickets)) == (True, 1)
    assert (second.counts, len(second.tickets)) == (False, 0)


async def test_a_number_counts_once_a_day(store: Store) -> None:
    """However often it is verified: poisoning with one number must not pay."""
    counted = []
    for hour in range(0, 72, 3):
        await ask(store, *PHONE, ticket=b"1234", at=hour * 3600)
        counted.append((await redeem(store, at=hour * 3600 + 20)).counts)
    assert sum(counted) == 3
    assert counted[0]
    assert counted[DAY // 10_800]


async def test_tickets_expire(store: Store) -> None:
    """A code that is entered after a quarter of an hour settles nothing."""
    await ask(store, *PHONE, ticket=b"1234")
    await ask(store, *PHONE, ticket=b"5678", at=1)
    redeemed = await redeem(store, at=TICKETS.seconds)
    assert [each.ticket for each in redeemed.tickets] == [b"5678"]
    await ask(store, *PHONE, ticket=b"1234", at=2000)
    assert not (await redeem(store, at=2000 + TICKETS.seconds)).counts


async def test_who_was_verified_is_known_for_ninety_days(store: Store) -> None:
    """Even if the ticket is gone: the app has seen the code."""
    assert not (await ask(store, *PHONE)).known
    await redeem(store)
    answer = await ask(store, *PHONE, at=90 * DAY - 1)
    assert (answer.known, answer.readings[0].used) == (True, 1)
    assert not answer.readings[0].full
    assert not (await ask(store, *PHONE, at=90 * DAY)).known


async def test_a_clock_that_steps_back_opens_no_ticket_again(store: Store) -> None:
    """Nor does it make a number known for less long."""
    await ask(store, *PHONE, ticket=b"1234")
    await ask(store, *PHONE, ticket=b"5678", at=TICKETS.seconds)
    late = {"outcome": "failed", "ticket": b"1234", "at": TICKETS.seconds - 1}
    assert await settle(store, *FAILED, **late) == 0
    assert len((await redeem(store, at=TICKETS.seconds - 1)).tickets) == 1
    await redeem(store, at=100)
    assert (await ask(store, *PHONE, at=TICKETS.seconds - 2 + 90 * DAY)).known


async def test_the_oldest_make_room(store: Store) -> None:
    """A number cannot fill its subject's value."""
    most = TICKETS.kept
    for n in range(most + 5):
        await ask(store, *PHONE, ticket=bytes([n] * 4), at=n)
    redeemed = await redeem(store, at=100)
    assert [each.ticket[0] for each in redeemed.tickets] == list(range(most + 4, 4, -1))


@pytest.mark.parametrize("remembers", range(6))
def test_as_many_as_fit_are_kept(remembers: int) -> None:
    """A segment of a value holds 255 bytes."""
    tickets = Tickets("t", remembers=tuple(f"d{n}" for n in range(remembers)))
    assert 3 <= tickets.kept <= 8
    assert tickets.kept * tickets.size <= LONGEST_SEGMENT


async def test_a_ticket_remembers_who_has_to_be_told(store: Store) -> None:
    """Of a verification only the number is known; network and session are on the ticket."""
    by_network, by_session = credit(900, subject="network"), credit(900, subject="session")
    await ask(store, *PHONE, by_network, by_session, price=100, ticket=b"1234")
    await ask(store, *PHONE, by_network, price=100, ticket=b"5678")
    redeemed = await redeem(store)
    newer, older = (each.remembered for each in redeemed.tickets)
    assert newer[0] == older[0]
    assert newer[1] is None
    assert older[1] is not None
    told = settlement(by_network, by_session, price=100)
    assert await store.settle([replace(told, subjects=(older[0] or "", older[1]))]) == 1
    answer = await ask(store, by_network, by_session)
    assert [answer.readings[i].used for i in range(2)] == [100, 0]


async def test_a_failed_message_is_refunded_once(store: Store) -> None:
    """The budget and the debt get the price back that was paid, whatever is claimed now."""
    counters = (spend(1_000), credit(1_000), conversion())
    await ask(store, *PHONE, *counters, price=400, ticket=b"1234")
    for applied in (1, 0, 0):
        outcome = {"outcome": "failed", "ticket": b"1234", "price": 999, "at": 1}
        assert await settle(store, *FAILED, *counters, **outcome) == applied
    answer = await ask(store, *counters, at=2)
    assert [answer.readings[i].used for i in range(3)] == [0, 0, 0]
    assert (await redeem(store, at=3)).tickets == ()


async def test_an_unknown_or_expired_ticket_settles_nothing(store: Store) -> None:
    """Nobody can invent one, and nobody can bring one late."""
    await ask(store, *PHONE, spend(1_000), price=400, ticket=b"1234")
    unknown = {"outcome": "failed", "ticket": b"9999", "price": 400}
    expired = {"outcome": "failed", "ticket": b"1234", "at": TICKETS.seconds}
    assert await settle(store, *FAILED, spend(1_000), **unknown) == 0
    assert await settle(store, *FAILED, spend(1_000), **expired) == 0
    assert (await ask(store, spend(1_000))).readings[0].used == 400


async def test_a_verified_message_is_not_refunded(store: Store) -> None:
    """It has arrived; its ticket is gone."""
    await ask(store, *PHONE, spend(1_000), price=400, ticket=b"1234")
    await redeem(store, at=1)
    assert not await settle(store, *FAILED, spend(1_000), outcome="failed", ticket=b"1234", at=2)
    assert (await ask(store, spend(1_000), at=3)).readings[0].used == 400


async def test_refunds_never_exceed_their_cap(store: Store) -> None:
    """Invalid numbers cannot be farmed for refunds: 1,000 µ$ an hour, and no more."""
    budget, given_back = spend(10**6, seconds=36_000), 0
    for n in range(60):
        at, ticket = n * 120, n.to_bytes(4)
        await ask(store, *PHONE, budget, price=300, ticket=ticket, at=at)
        refund = {"outcome": "failed", "ticket": ticket, "at": at + 1}
        given_back += 300 * await settle(store, *FAILED, budget, **refund)
    assert given_back == 60 * 300 - (await ask(store, budget, at=7201)).readings[0].used
    assert 900 <= given_back <= 2 * 1_000 + 300


async def test_windows_are_never_refunded(store: Store) -> None:
    """A rate limit counts what was let through, whatever became of it."""
    await ask(store, *PHONE, window(1), spend(1_000), price=1, ticket=b"1234")
    await settle(store, *FAILED, spend(1_000), outcome="failed", ticket=b"1234")
    assert not (await ask(store, window(1), at=1)).admitted


async def test_what_other_counters_keep_survives_settling(store: Store) -> None:
    """Subjects are shared with counters that outcomes do not concern."""
    others = tuple(window(9, rule=f"w{n}", subject="x", seconds=900) for n in range(20))
    about = spend(1_000, subject="phone x")
    await ask(store, *PHONE, *others, about, price=10, ticket=b"1234")
    await settle(store, *FAILED, about, outcome="failed", ticket=b"1234")
    await redeem(store)
    answer = await ask(store, *others, watched(about))
    assert [answer.readings[i].used for i in range(21)] == [1] * 20 + [0]


async def test_an_unallocated_message_is_paid_for(store: Store) -> None:
    """It takes the ticket and gives nothing back: carriers charge for what they are handed."""
    await ask(store, *PHONE, spend(1_000), price=400, ticket=b"1234")
    told = {"ticket": b"1234", "at": 1}
    assert await settle(store, *FAILED, spend(1_000), outcome="unallocated", **told) == 1
    assert await settle(store, *FAILED, spend(1_000), outcome="failed", **told) == 0
    assert (await ask(store, spend(1_000), at=2)).readings[0].used == 400


async def test_an_unallocated_message_stays_unverified(store: Store) -> None:
    """Credit, conversion, trust and refunds are as if nothing had been told, and no code that is
    entered later changes them."""
    about = (credit(10_000), conversion(seconds=60), trust(), watched(spend(1_000)))
    for n in (1, 2):
        await ask(store, *PHONE, *about, price=400, ticket=bytes([n] * 4))
    before = (await ask(store, *map(watched, about), refused=True, at=1)).readings
    told = {"ticket": b"\1" * 4, "at": 1}
    assert await settle(store, *FAILED, *about, outcome="unallocated", **told) == 1
    assert await settle(store, *FAILED, *about, outcome="unallocated", **told) == 0
    assert (await ask(store, *map(watched, about), refused=True, at=1)).readings == before
    assert [each.ticket for each in (await redeem(store, at=2)).tickets] == [b"\2" * 4]
    matured = (await ask(store, watched(about[1]), refused=True, at=90)).readings[0]
    assert matured.detail == (2, 0)
