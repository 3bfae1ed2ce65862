"""What was not sent gives back what it was charged, exactly, and within a cap."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpguard.counters import EXACT_UP_TO, NEIGHBOURS_REMEMBERED, Unsent, Window
from pumpguard.store.base import Store
from pumpguard.store.memory import MemoryStore
from tests.store.asking import (
    PHONE,
    START,
    TICKETS,
    About,
    ask,
    neighbours,
    question,
    settle,
    settlement,
    sliced,
    trust,
    verify,
    window,
)

TICKET = About(TICKETS)


def unsent(limit: int, **more: Any) -> About:
    """A cap for an hour."""
    return About(Unsent("unsent", "network", limit, **more))


@pytest.mark.parametrize("about", [window(2), sliced(2), window(600)])
async def test_a_hit_is_given_back_in_its_own_time(store: Store, about: About) -> None:
    """The others stay where they are."""
    for n in range(2):
        await ask(store, *PHONE, about, ticket=bytes([n] * 4), at=10 * n)
    await settle(store, TICKET, about, outcome="failed", ticket=b"\0" * 4, at=20)
    assert (await ask(store, about, refused=True, at=21)).readings[0].used == 1
    assert (await ask(store, about, refused=True, at=68)).readings[0].used == 1
    assert (await ask(store, about, refused=True, at=78)).readings[0].used == 0


async def test_of_windows_that_share_a_log_all_get_it_back(store: Store) -> None:
    """A cooldown, and a limit for a day."""
    limits = (window(1), window(2, seconds=86_400))
    await ask(store, *PHONE, *limits, ticket=b"1234")
    await settle(store, TICKET, *limits, outcome="failed", ticket=b"1234", at=1)
    assert [(await ask(store, *limits, at=at)).admitted for at in (2, 70, 140)] == [
        True,
        True,
        False,
    ]


async def test_attempts_count_whatever_became_of_them(store: Store) -> None:
    """A window of attempts does not hear of it."""
    assert not window(2, counts="attempts").counter.hears("failed")
    assert window(2).counter.hears("failed")


async def test_a_neighbour_that_got_no_message_is_none(store: Store) -> None:
    """By its number and its time."""
    for n in range(2):
        await ask(store, *PHONE, neighbours(5 + n), ticket=bytes([n] * 4), at=n)
    told = {"outcome": "failed", "ticket": b"\0" * 4, "at": 2, "last4": 5}
    await settle(store, TICKET, neighbours(5), **told)
    assert (await ask(store, neighbours(7), refused=True, at=3)).readings[0].used == 1


async def test_a_log_that_may_have_dropped_hits_gives_none_back() -> None:
    """Of those dropped for it nobody knows; what was sent is not forgotten for what was not."""
    store, watching = MemoryStore(), About(Window("w", "phone", EXACT_UP_TO, 3600), binds=False)
    for n in range(EXACT_UP_TO + 1):
        charged = About(Window("w", "phone", 1, 1), binds=False)
        await ask(store, *PHONE, watching, charged, ticket=n.to_bytes(4), at=2 * n)
    told = {"outcome": "failed", "ticket": EXACT_UP_TO.to_bytes(4), "at": 2 * EXACT_UP_TO + 1}
    await settle(store, TICKET, watching, charged, **told)
    used = (await ask(store, watching, refused=True, at=1025)).readings[0].used
    assert used == EXACT_UP_TO


async def test_neighbours_that_may_have_been_dropped_stay_too(store: Store) -> None:
    """Two dozen are kept of a block."""
    for n in range(NEIGHBOURS_REMEMBERED):
        await ask(store, *PHONE, neighbours(50 * n), ticket=n.to_bytes(4), at=n)
    last = NEIGHBOURS_REMEMBERED - 1
    told = {"outcome": "failed", "ticket": last.to_bytes(4), "at": 30, "last4": 50 * last}
    await settle(store, TICKET, neighbours(50 * last), **told)
    near = await ask(store, neighbours(50 * last + 1), refused=True, at=31)
    assert near.readings[0].used == 1


async def test_giving_back_has_a_cap(store: Store) -> None:
    """Beyond it an attempt is charged like a message; and a request that finds it full is asked."""
    about = (unsent(2), window(3))
    for n in range(3):
        assert (await ask(store, *PHONE, *about, ticket=bytes([n] * 4), at=n)).admitted
        told = {"outcome": "failed", "ticket": bytes([n] * 4), "at": n}
        assert await settle(store, TICKET, *about, **told) == (n < 2)
        if n == 1:
            about = (About(about[0].counter, binds=False), about[1])
    assert (await ask(store, *about, refused=True, at=4)).readings[1].used == 1
    assert not (await ask(store, unsent(2), at=5)).admitted
    assert (await ask(store, unsent(2), at=3601)).admitted


async def test_who_verifies_may_send_nothing_more_often(store: Store) -> None:
    """Headroom counts where it is asked and where it is told."""
    about = (trust(), unsent(1, max_factor=3))
    await ask(store, *PHONE, *about, ticket=b"1234")
    await verify(store, trust(), at=20)
    applied = []
    for n in range(4):
        ticket, at = bytes([10 + n] * 4), 30 + n
        watching = (trust(), About(about[1].counter, binds=False))
        await ask(store, *PHONE, *watching, window(9), ticket=ticket, at=at)
        told = {"outcome": "failed", "ticket": ticket, "at": at}
        applied.append(await settle(store, TICKET, *watching, window(9), **told))
    assert applied == [1, 1, 0, 0]  # one that is on its way counts as unverified


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 1, 40, 999, 1_000, 2_999, 3_000, 6_001]),  # ms until the next
        st.booleans(),  # is it sent?
        st.integers(0, 4),  # requests until its outcome is told
    ),
    max_size=40,
)
numbered = count()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([(1, 1), (2, 1), (3, 1), (3, 255)]), st.booleans(), STEPS)
def test_no_true_window_ever_has_more_messages_than_its_limit(
    size: tuple[int, int], shared: bool, steps: list[tuple[int, bool, int]]
) -> None:
    """Whatever was given back, and when: of what was sent, no more than the limit in any window."""
    (limit, max_factor), store, seconds = size, MemoryStore(), 6
    abouts = [About(Window("w", "network", limit, seconds, max_factor=max_factor))]
    if shared and max_factor == 1:
        abouts.append(About(Window("w", "network", limit + 1, 2 * seconds)))
    now, sent, pending = int(START * 1000), list[int](), list[tuple[int, bytes]]()

    async def play() -> None:
        nonlocal now
        for n, (step, is_sent, later) in enumerate(steps):
            now += step
            asked = question(*PHONE, *abouts, ticket=n.to_bytes(4))
            asked.at = now / 1000
            if (await store.decide(asked)).admitted:
                if is_sent:
                    sent.append(now)
                else:
                    pending.append((n + later, n.to_bytes(4)))
            for due, ticket in list(pending):
                if due <= n:
                    pending.remove((due, ticket))
                    told = settlement(TICKET, *abouts, outcome="failed", ticket=ticket)
                    told.at = now / 1000
                    await store.settle([told])

    asyncio.run(play())
    for about in abouts:
        counter = about.counter
        assert isinstance(counter, Window)
        for at in sent:
            inside = [each for each in sent if at - counter.span < each <= at]
            assert len(inside) <= counter.limit
