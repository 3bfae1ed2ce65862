"""Who is a customer, and what limits keep for them that strangers' requests cannot fill."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpguard.counters import Known, Tickets, Window
from pumpguard.counters.plan import Plan
from pumpguard.store.base import Answer, Outcome, Question, Redemption, Settlement, Store
from tests.store.asking import START, About, ban, credit, neighbours, spend, trust, window

KNOWN = Known("settlement", clients=2)
TICKETS = Tickets("settlement", remembers=("network", "session"))
HERE = About(Window("here", "network", 100, 60))
PHONE = (About(KNOWN), About(TICKETS), HERE)


def question(
    *abouts: About, at: float = 0.0, network: str = "home", proved: bool = False, **more: Any
) -> Question:
    """One from that network, by the number that all of these tests are about."""
    counters = [each.counter for each in (*PHONE, *abouts)]
    plan = Plan(counters, [each.binds for each in (*PHONE, *abouts)], proved=proved)
    subjects = tuple(network if by == "network" else "one" for by in plan.groups)
    last4 = next((each.last4 for each in abouts if each.last4), 0)
    facts: dict[str, Any] = {"ticket": b"abcd", "last4": last4, **more}
    return Question(plan, subjects, at=START + at, **facts)


async def ask(store: Store, *abouts: About, **more: Any) -> Answer:
    return await store.decide(question(*abouts, **more))


async def verified(store: Store, at: float = 1.0) -> None:
    """The number that the last message went to is verified."""
    await store.redeem(Redemption("one", KNOWN, TICKETS, at=START + at))


async def admits(store: Store, *abouts: About, most: int = 20, **more: Any) -> int:
    """How many are let through, one a second, before one is refused."""
    at = more.pop("at", 10.0)
    for n in range(most):
        if not (await ask(store, *abouts, at=at + n, **more)).admitted:
            return n
    return most


@pytest.mark.parametrize(
    ("who", "let_through"),
    [("a stranger", 2), ("a known number", 4), ("a customer", 6)],
)
async def test_what_is_reserved_is_for_customers(store: Store, who: str, let_through: int) -> None:
    """All of it where the number was verified, and half where anybody names it."""
    if who != "a stranger":
        assert (await ask(store)).admitted
        await verified(store)
    network = "home" if who == "a customer" else "elsewhere"
    limit = window(6, 3_600, reserved=4)
    assert await admits(store, limit, network=network) == let_through


async def test_strangers_do_not_fill_it(store: Store) -> None:
    """Whatever they have had of the number's messages, its owner has as many more."""
    assert (await ask(store)).admitted
    await verified(store)
    limit = window(6, 3_600, reserved=4)
    assert await admits(store, limit, network="elsewhere") == 4
    assert await admits(store, limit, at=60.0) == 2


async def test_proof_counts_where_users_verify(store: Store) -> None:
    """There a stranger has half of it, and a known number all, wherever it was verified."""
    limit, trusted = window(6, 3_600, reserved=4), trust("network")
    assert (await ask(store, trusted, network="office")).admitted
    told = Plan([trusted.counter], [False])
    await store.settle([Settlement(told, ("office",), "verified", at=START + 1)])
    facts: dict[str, Any] = {"network": "office", "ticket": b""}
    assert await admits(store, limit, trusted, **facts) == 2
    await store.settle([Settlement(told, ("office",), "verified", at=START + 15)])
    assert await admits(store, limit, trusted, proved=True, at=20.0, most=2, **facts) == 2
    assert not (await ask(store, limit, trusted, proved=True, at=25.0, **facts)).admitted
    await verified(store, at=30.0)
    await store.settle([Settlement(told, ("office",), "verified", at=START + 31)] * 3)
    assert await admits(store, limit, trusted, proved=True, at=40.0, **facts) == 2


async def test_the_last_twelve_places_are_remembered(store: Store) -> None:
    """The thirteenth pushes out the first; one that comes again stays."""
    for n in range(13):
        assert (await ask(store, network=f"n{n}", at=10.0 * n)).admitted
        await verified(store, at=10.0 * n + 1)
    limit = window(3, 3_600, reserved=2)
    assert await admits(store, limit, network="n0", at=200.0) == 2  # a known number
    assert await admits(store, limit, network="n1", at=300.0) == 1  # a customer, to the last


async def test_an_unknown_address_is_nobodys(store: Store) -> None:
    """Who has verified without an address is not met again without one."""
    limit = window(3, 3_600, reserved=2)
    plan = Plan([KNOWN, TICKETS, limit.counter], [True] * 3)
    subjects = tuple("one" for _ in plan.groups)
    asked = Question(plan, subjects, at=START, ticket=b"abcd")
    assert (await store.decide(asked)).admitted
    await verified(store)
    answers = [await store.decide(replace(asked, at=START + n)) for n in range(10, 13)]
    assert [each.admitted for each in answers] == [True, False, False]


async def test_a_line_has_as_much_more_for_them_and_two_messages(store: Store) -> None:
    """Who has had none may go as far as two more messages, as one may who asks again."""
    line = credit(1_000, seconds=10**6, reserved=0.5)
    assert (await ask(store)).admitted
    await verified(store)
    assert await admits(store, line, network="elsewhere", price=100) == 14
    await verified(store, at=50.0)  # nothing of it was told to the line
    await ask(store, at=55.0)
    assert await admits(store, line, price=100, at=60.0) == 3


async def test_a_budget_keeps_half_from_those_who_only_know_the_number(store: Store) -> None:
    budget = spend(1_000, seconds=10_000, reserved=200)
    assert (await ask(store)).admitted
    await verified(store)
    assert await admits(store, budget, network="elsewhere", price=100) == 9
    assert await admits(store, budget, price=100, at=60.0) == 1


async def test_neighbours_do_not_speak_against_them(store: Store) -> None:
    near = (neighbours(10), neighbours(12))
    for n, each in enumerate(near):
        assert (await ask(store, each, network="elsewhere", at=n)).admitted
    await verified(store, at=5.0)
    here = neighbours(11)
    assert not (await ask(store, here, network="another", at=6.0)).admitted
    await ask(store, network="home", at=7.0)
    await verified(store, at=8.0)
    assert (await ask(store, here, at=9.0)).admitted


async def test_a_ban_that_excepts_them_stands_for_others(store: Store) -> None:
    """The twentieth request begins it; who is known is let through, and a stranger is not."""
    excepting = ban(3, "attempts", base=1_000, except_known=True)
    assert await admits(store, excepting) == 2
    assert (await ask(store, at=15.0)).admitted
    await verified(store, at=16.0)
    assert await admits(store, excepting, network="elsewhere", at=20.0, most=5) == 5


async def test_messages_that_were_verified_give_their_places_back(store: Store) -> None:
    """To limits on unverified ones; those on all messages keep them."""
    few, every = window(1, 3_600, unverified=True), window(3, 3_600)
    told = Plan([few.counter], [False])
    for n in range(3):
        assert (await ask(store, few, every, at=100.0 * n)).admitted
        at = START + 100.0 * n + 10
        redeemed = await store.redeem(Redemption("one", KNOWN, TICKETS, at=at))
        outcome: Outcome = "verified" if redeemed.counts else "repeated"
        assert outcome == ("repeated" if n else "verified")
        sent_at = redeemed.tickets[0].at
        await store.settle([Settlement(told, ("one",), outcome, sent_at=sent_at, at=at)])
    assert (await ask(store, few, at=290.0)).admitted
    assert not (await ask(store, every, at=300.0)).admitted
