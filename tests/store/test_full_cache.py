"""The memory for bans: no trip for who is banned, no surprise for who is not."""

from __future__ import annotations

import pytest

from pumpguard import Action
from pumpguard.errors import StoreError
from pumpguard.store.base import Answer, Question, Store
from pumpguard.store.full_cache import FRESH, MOST, FullCache
from pumpguard.store.memory import MemoryStore
from tests.store.asking import PHONE, About, ask, ban, credit, verify, watched, window


class Counted(MemoryStore):
    """A store that counts its trips, and is away when told so."""

    def __init__(self) -> None:
        super().__init__()
        self.trips = 0
        self.away = False

    async def decide(self, question: Question) -> Answer:
        self.trips += 1
        if self.away:
            raise StoreError("away")
        return await super().decide(question)


BAN = ban(after="number", base=60)


async def banned(about: About = BAN) -> tuple[Counted, FullCache]:
    """A store that has just banned somebody for a minute."""
    store = Counted()
    cache = FullCache(store)
    await ask(cache, about, refused=True, refused_by=frozenset({"number"}))
    store.trips = 0
    return store, cache


async def test_a_fresh_ban_is_answered_without_a_trip() -> None:
    """The same refusal, with what is left of the wait."""
    store, cache = await banned()
    answer = await ask(cache, BAN, window(3), at=2)
    assert not answer.admitted
    assert answer.readings[0].used == 1
    assert answer.readings[0].wait == 58
    assert store.trips == 0


async def test_a_shadow_is_asked_for_every_time() -> None:
    """From memory it would be answered a round trip sooner than a message that is sent; while the
    store is away, it stands all the same."""
    hidden = ban(after="number", base=60, action=Action.SHADOW)
    store, cache = await banned(hidden)
    for at in (1, 2, FRESH + 1):
        assert (await ask(cache, hidden, at=at)).readings[0].full
    assert store.trips == 3
    store.away = True
    assert not (await ask(cache, hidden, at=FRESH + 2)).admitted


async def test_a_ban_is_believed_for_five_seconds_at_most() -> None:
    """So one that was lifted is over everywhere soon; one that stands is learnt anew."""
    store, cache = await banned()
    for at, trips in ((FRESH - 0.1, 0), (FRESH, 1), (FRESH + 1, 1), (2 * FRESH, 2)):
        assert not (await ask(cache, BAN, at=at)).admitted
        assert store.trips == trips


async def test_a_ban_is_never_believed_beyond_its_end() -> None:
    """A ban of three seconds is over after three."""
    short = ban(after="number", base=3)
    _, cache = await banned(short)
    assert not (await ask(cache, short, at=2.9)).admitted
    assert (await ask(cache, short, at=3)).admitted


async def test_others_are_not_concerned() -> None:
    """Another subject, another rule's ban, and a question in which the ban does not bind."""
    store, cache = await banned()
    assert (await ask(cache, ban(after="number", subject="b"), at=1)).admitted
    assert (await ask(cache, watched(BAN), at=1)).admitted
    assert store.trips == 2


async def test_while_the_store_is_away_bans_stand_to_their_end() -> None:
    """An outage is no amnesty; and no reason to refuse anybody else."""
    store, cache = await banned()
    store.away = True
    assert not (await ask(cache, BAN, at=59)).admitted
    with pytest.raises(StoreError):
        await ask(cache, BAN, at=60)
    with pytest.raises(StoreError):
        await ask(cache, ban(after="number", subject="b"), at=1)


async def test_the_memory_is_bounded() -> None:
    """Ten thousand bans; the one learnt first goes first."""
    store = Counted()
    cache = FullCache(store)
    struck = frozenset({"number"})
    for i in range(MOST + 1):
        await ask(cache, ban(after="number", subject=str(i)), refused=True, refused_by=struck)
    store.trips = 0
    await ask(cache, ban(after="number", subject=str(MOST)), at=1)
    assert store.trips == 0
    await ask(cache, ban(after="number", subject="0"), at=1)
    assert store.trips == 1


async def test_outcomes_pass_through(store: Store) -> None:
    """The memory for bans has nothing to do with them."""
    cache = FullCache(store)
    await ask(cache, *PHONE, credit(1_000), price=900, ticket=b"1234")
    assert (await verify(cache, credit(1_000))).counts
    assert (await ask(cache, credit(1_000), price=1_000)).admitted
