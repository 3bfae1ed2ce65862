"""The pulse: whether verifications come back for the messages that go out, in every store."""

from __future__ import annotations

import random
from collections.abc import Iterable

from pumpguard.counters import Reading
from pumpguard.store.base import Store
from pumpguard.store.memory import MemoryStore
from tests.store.asking import PULSE, START, About, ask, settle, watched

ABOUT = About(PULSE)
MINUTE, HOUR = 60.0, 3_600.0


class Traffic:
    """Messages, of which some are verified later; ``found`` has when an outage was read."""

    def __init__(self, store: Store, seed: int = 1) -> None:
        self.store, self.chance = store, random.Random(seed)
        self.found: list[float] = []

    async def play(self, *parts: Iterable[tuple[float, bool]]) -> None:
        """Each message is a time and whether it is verified, 20 s later or so."""
        events = []
        for at, verified in (each for part in parts for each in part):
            events.append((at, 0.0))
            if verified:
                after = round(min(240.0, self.chance.lognormvariate(3.0, 0.6)), 3)
                events.append((at + after, at))
        for at, sent in sorted(events):
            if sent:
                sent_at = round((START + sent) * 1000)
                await settle(self.store, ABOUT, at=at, sent_at=sent_at)
            elif (await ask(self.store, ABOUT, at=at)).readings[0].full:
                self.found.append(at)

    def people(
        self, start: float, end: float, per_minute: float, share: float = 0.75
    ) -> list[tuple[float, bool]]:
        """So many come at random, and most of them enter their codes."""
        came, at = [], start
        while (at := at + self.chance.expovariate(per_minute / MINUTE)) < end:
            came.append((round(at, 3), self.chance.random() < share))
        return came

    async def reading(self, at: float) -> Reading:
        return (await ask(self.store, ABOUT, at=at)).readings[0]


async def test_twenty_minutes_without_verifications_are_an_outage(store: Store) -> None:
    """Three messages a minute: noticed within a quarter of an hour, and over soon afterwards."""
    of = Traffic(store)
    down, up = 2 * HOUR, 2 * HOUR + 20 * MINUTE
    await of.play(
        of.people(0, down, 3), of.people(down, up, 3, share=0.0), of.people(up, 3 * HOUR, 3)
    )
    assert down + 5 * MINUTE <= of.found[0] <= down + 15 * MINUTE
    assert up - MINUTE <= of.found[-1] <= up + 5 * MINUTE


async def test_an_outage_has_one_beginning(store: Store) -> None:
    """By which whoever tells of it tells once. One verification does not end it."""
    of, began = Traffic(store), set[int]()
    await of.play(of.people(0, HOUR, 4))
    for minutes in range(60):
        at = HOUR + minutes * MINUTE
        await of.play(of.people(at, at + MINUTE, 4, share=0.0))
        began.add((await of.reading(at + MINUTE)).detail[1])
        if minutes == 40:
            await settle(store, ABOUT, at=at + MINUTE)
    assert began - {0} == {max(began)}
    assert HOUR <= max(began) / 1000 - START <= HOUR + 3 * MINUTE


async def test_it_says_nothing_while_nobody_asks(store: Store) -> None:
    """Silence is no outage: after a busy hour nothing is missed, for as long as it lasts."""
    of = Traffic(store)
    await of.play(of.people(0, HOUR, 4))
    for hours in (1.1, 1.5, 3, 12, 100):
        assert (await of.reading(hours * HOUR)).used < 9_000


async def test_a_few_unanswered_messages_before_a_pause_are_no_outage(store: Store) -> None:
    """A pause counts as five minutes, however long it is."""
    of = Traffic(store)
    await of.play(of.people(0, HOUR, 10), [(HOUR + n, False) for n in range(30)])
    assert not (await of.reading(9 * HOUR)).full


async def test_nothing_is_said_before_twenty_verifications(store: Store) -> None:
    """A rate has to be founded on something."""
    of = Traffic(store)
    await of.play([(n * MINUTE / 3, True) for n in range(19)])
    await of.play([(HOUR + n * 10, False) for n in range(200)])
    assert of.found == []


async def test_a_number_that_verifies_again_shows_that_the_provider_works(store: Store) -> None:
    """And founds no rate: nobody makes himself missed."""
    of = Traffic(store)
    await of.play(of.people(0, HOUR, 3))
    for n in range(240):
        at = HOUR + 10 * n
        await ask(store, ABOUT, at=at)
        if n % 3 == 0:
            sent_at = round((START + at) * 1000)
            await settle(store, ABOUT, outcome="repeated", at=at + 5, sent_at=sent_at)
        assert not (await of.reading(at + 6)).full
    assert (await of.reading(2 * HOUR)).detail[0] <= 200


async def test_what_was_never_sent_is_not_waited_for(store: Store) -> None:
    """An app that cannot reach its provider knows that by itself."""
    of = Traffic(store)
    await of.play(of.people(0, HOUR, 3))
    for n in range(200):
        at = HOUR + 10 * n
        await ask(store, ABOUT, at=at)
        late = 200 if n % 2 else 1
        sent_at = round((START + at) * 1000)
        assert await settle(store, ABOUT, outcome="failed", at=at + late, sent_at=sent_at) in (0, 1)
    assert of.found == []


async def test_it_never_refuses(store: Store) -> None:
    """Whatever the question says it may do."""
    of = Traffic(store)
    await of.play(of.people(0, HOUR, 6), of.people(HOUR, 1.5 * HOUR, 6, share=0.0))
    for about in (ABOUT, watched(ABOUT)):
        answer = await ask(store, about, at=1.5 * HOUR)
        assert (answer.admitted, answer.readings[0].full) == (True, True)


async def test_a_quiet_day_of_rounds_and_pauses_is_no_outage() -> None:
    """Sixteen rounds of a hundred messages, with an hour between them."""
    of = Traffic(MemoryStore())
    for round_ in range(16):
        start = round_ * (HOUR + 10 * MINUTE)
        await of.play(of.people(start, start + 10 * MINUTE, 10))
    assert of.found == []


async def test_a_launch_is_no_outage_while_it_comes_nor_when_it_goes() -> None:
    """Twenty times as many for forty minutes, of which as many enter their codes as ever."""
    of = Traffic(MemoryStore())
    await of.play(
        of.people(0, 4 * HOUR, 2), of.people(2 * HOUR, 2 * HOUR + 40 * MINUTE, 40, share=0.7)
    )
    assert of.found == []


async def test_an_outage_is_found_in_the_middle_of_a_launch() -> None:
    of, down = Traffic(MemoryStore()), 2 * HOUR + 10 * MINUTE
    await of.play(
        of.people(0, down, 2),
        of.people(2 * HOUR, down, 40, share=0.7),
        of.people(down, down + 20 * MINUTE, 40, share=0.0),
    )
    assert down + 5 * MINUTE <= of.found[0] <= down + 8 * MINUTE


async def test_an_attack_that_never_verifies_is_none_while_people_do() -> None:
    """Four times as many messages as people send, for three hours."""
    of = Traffic(MemoryStore())
    await of.play(of.people(0, 6 * HOUR, 2), of.people(2 * HOUR, 5 * HOUR, 8, share=0.0))
    assert of.found == []


async def test_an_attack_while_people_sleep_is_none() -> None:
    """Six hours after the last of them: nobody is missed who does not come at night."""
    of, night = Traffic(MemoryStore()), 18 * HOUR
    await of.play(of.people(0, 12 * HOUR, 2), of.people(night, night + 3 * HOUR, 10, share=0.0))
    assert of.found == []


async def test_a_slow_provider_is_none() -> None:
    """From one moment on codes come after up to three minutes, and people enter them then."""
    of = Traffic(MemoryStore())
    late = [(at, False) for at, _ in of.people(2 * HOUR, 3 * HOUR, 20)]
    await of.play(of.people(0, 2 * HOUR, 20), ())
    events = [(at, 0.0) for at, _ in late]
    events += [(at + of.chance.uniform(60, 200), at) for at, _ in late if of.chance.random() < 0.7]
    for at, sent in sorted(events):
        if sent:
            await settle(of.store, ABOUT, at=at, sent_at=round((START + sent) * 1000))
        else:
            assert not (await of.reading(at)).full


async def test_false_outages_are_rare() -> None:
    """Ten days of people, and never a false word; a fifth of them do not enter their codes."""
    of = Traffic(MemoryStore(), seed=2)
    await of.play(of.people(0, 240 * HOUR, 2, share=0.6))
    assert of.found == []
