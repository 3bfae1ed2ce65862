"""Trust: what a subject has earned by being verified, and the room that its windows give for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpguard.counters import Ban, Window
from pumpguard.store.base import DAY, Store
from tests.store.asking import About, ask, conversion, settle, trust

WINDOW = About(Window("limit", "network", 20, 60, max_factor=5))


async def send(store: Store, count: int, *more: About, at: float = 0.0) -> int:
    """So many messages of the network, as far as they are let through; returns how many were."""
    return sum([(await ask(store, trust(), *more, at=at)).admitted for _ in range(count)])


async def verify(store: Store, count: int, *more: About, at: float = 0.0, **how: Any) -> None:
    """So many of them are verified."""
    for _ in range(count):
        await settle(store, trust(), *more, at=at, **{"age": 20_000, **how})


async def earned(store: Store, at: float = 0.0) -> tuple[int, tuple[int, ...]]:
    """The room in messages, and how many were verified and sent."""
    answer = await ask(store, trust(), at=at, refused=True)
    return answer.readings[0].used, answer.readings[0].detail


async def test_a_verification_earns_four_messages_and_a_message_costs_more_than_one(
    store: Store,
) -> None:
    """Four times what is verified beyond 35 % of what was sent."""
    await send(store, 40)
    await verify(store, 24)
    assert await earned(store) == (4 * 10, (24, 40))


async def test_below_a_third_there_is_none(store: Store) -> None:
    """35 % is where nothing is left, and nothing is owed below it."""
    await send(store, 100)
    await verify(store, 34)
    assert (await earned(store))[0] == 0
    await verify(store, 2)
    assert (await earned(store))[0] == 4


async def test_a_window_gives_what_was_earned(store: Store) -> None:
    """Twenty for a stranger; after ten of them are verified, twelve more, and no more than that."""
    assert await send(store, 30, WINDOW) == 20
    await verify(store, 10)
    full = await ask(store, trust(), WINDOW)
    assert full.admitted
    for _ in range(20):
        full = await ask(store, trust(), WINDOW)
    # Every message that is not verified yet takes 1.4 of the room: 4 × (10 - 0.35 × 25) = 5.
    assert not full.admitted
    assert full.readings[1].used == 25
    assert full.readings[1].detail == (25, 5)


async def test_a_window_never_gives_more_than_its_most(store: Store) -> None:
    """Whatever was earned: five times twenty."""
    for at in range(0, 6_000, 60):
        await send(store, 20, WINDOW, at=at)
        await verify(store, 20, at=at)
    assert (await earned(store, 6_100))[0] > 1_000
    assert await send(store, 150, WINDOW, at=6_100) == 100


async def test_a_ban_that_yields_lets_a_crowd_go_when_it_turns_out_to_be_people(
    store: Store,
) -> None:
    """The third strike bans the address; its users verify, and it stands no longer; one that does
    not yield does. When the room is used up it stands again."""
    ban = Ban("stays", "network", 3, 600, "attempts", base=600, jitter=0.0, max_factor=5)
    stays, yields = About(ban), About(replace(ban, rule="yields", yields=True))
    assert [await send(store, 6, each) for each in (stays, yields)] == [2, 2]
    await verify(store, 3)
    assert not (await ask(store, trust(), stays)).admitted
    assert (await ask(store, trust(), yields)).admitted
    await send(store, 20)
    held = await ask(store, trust(), yields)
    assert held.readings[0].used == 0
    assert not held.admitted


async def test_a_window_without_room_does_not_care(store: Store) -> None:
    """``most`` is 1 unless somebody says otherwise."""
    plain = About(Window("limit", "network", 20, 60))
    await send(store, 20, at=0)
    await verify(store, 20)
    assert await send(store, 30, plain) == 20


async def test_room_is_nobody_elses(store: Store) -> None:
    """What one subject has earned is no room for another of the same request."""
    other = About(Window("limit", "account", 2, 60, max_factor=5))
    await send(store, 20)
    await verify(store, 20)
    assert await send(store, 30, other) == 2


async def test_small_windows_stay_exact(store: Store) -> None:
    """Two a minute, up to eight: the time of each is kept, to the millisecond."""
    small = About(Window("limit", "network", 2, 60, max_factor=4))
    assert await send(store, 5, small) == 2
    await verify(store, 20)
    assert await send(store, 10, small, at=30) == 6
    assert await send(store, 10, small, at=59.999) == 0
    assert await send(store, 10, small, at=60) == 2


async def test_strikes_of_a_crowd(store: Store) -> None:
    """A ban takes as many strikes more, up to its most."""
    ban = About(Ban("ban", "network", 20, 60, "attempts", max_factor=2))
    await send(store, 19, ban)
    await verify(store, 19)
    assert await send(store, 60, ban) == 20
    assert (await ask(store, trust(), ban)).readings[1].full


async def test_what_is_not_verified_takes_it_away(store: Store) -> None:
    """Who verifies ten of his own gets 18 unverified ones at most, whatever he does."""
    await send(store, 10)
    await verify(store, 10)
    for sent in range(11, 29):
        await send(store, 1)
        assert (await earned(store))[0] == 4 * (10_000 - 350 * sent) // 1000
    await send(store, 1)
    assert (await earned(store))[0] == 0


@pytest.mark.parametrize("outcome", ["failed", "repeated"])
async def test_what_was_never_sent_or_sent_twice_costs_nothing(store: Store, outcome: Any) -> None:
    """A second message to a number that has been verified is no message that nobody verified."""
    await send(store, 10)
    await verify(store, 8)
    if outcome == "repeated":
        await settle(store, trust(), outcome=outcome)
        assert (await earned(store))[1] == (8, 9)
    else:  # a ticket is wanted for a refund, and there is none
        await settle(store, trust(), outcome=outcome)
        assert (await earned(store))[1] == (8, 10)


async def test_it_fades_by_an_eighth_a_day(store: Store) -> None:
    """Half of it is left on the sixth day; after fifteen without a message there is nothing."""
    await send(store, 100)
    await verify(store, 80)
    found = [(await earned(store, n * DAY))[1] for n in (0, 1, 5, 14, 15)]
    assert found == [(80, 100), (70, 87), (41, 51), (12, 15), (0, 0)]


async def test_messages_alone_are_forgotten_sooner(store: Store) -> None:
    """A network that nobody was ever verified from is remembered for a day or two."""
    await send(store, 10)
    assert [(await earned(store, n * DAY))[1] for n in (0, 1, 2)] == [(0, 10), (0, 8), (0, 0)]


async def test_verifications_of_what_was_never_sent_earn_nothing(store: Store) -> None:
    """An outcome needs a message."""
    await verify(store, 50)
    assert await earned(store) == (0, (0, 0))


async def test_what_looks_bought_counts_for_less(store: Store) -> None:
    """A code that is entered within three seconds is worth a fifth, as it is to a conversion."""
    watch = conversion("network")
    await send(store, 30, watch)
    for n in range(20):
        await verify(store, 1, watch, age=500 + 700 * (n % 4), last4=200 * n)
    assert (await earned(store))[1] == (4, 30)


@pytest.mark.parametrize(("subject", "verified"), [("network", 20), ("country", 5)])
async def test_one_network_may_trust_itself_and_proves_little_for_a_country(
    store: Store, subject: str, verified: int
) -> None:
    """All are verified from one address: an office for the office, a farm for the country."""
    watch, subject_trust = conversion("country"), trust(subject)
    for _ in range(20):
        await ask(store, subject_trust, watch)
    for n in range(20):
        await settle(
            store, subject_trust, watch, age=20_000 + 9_000 * (n % 5), last4=200 * n, network="one"
        )
    answer = await ask(store, subject_trust, refused=True)
    assert abs(answer.readings[0].detail[0] - verified) <= 1


def test_a_limit_that_can_grow_is_kept_like_the_highest() -> None:
    """So a policy may start to give room, and lose nothing, while all of it fits a log."""
    assert Window("r", "x", 15, 60).identity() == Window("r", "x", 15, 60, max_factor=10).identity()
    assert Window("r", "x", 60, 60).identity() != Window("r", "x", 60, 60, max_factor=10).identity()


async def test_what_is_forgotten_earns_nothing_whatever_else_is_kept(store: Store) -> None:
    """A verification that comes days later finds nothing to add to, in any store."""
    other = About(Window("limit", "network", 5, 10 * DAY))
    await send(store, 1, other)
    await verify(store, 1, at=3 * DAY)
    assert await earned(store, 3 * DAY) == (0, (0, 0))
