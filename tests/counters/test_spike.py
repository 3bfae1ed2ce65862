"""The spike: far more than usual, in every store."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard.counters import Spike
from pumpguard.store.base import Answer, Store
from tests.models.spike import FOUNDED, HourlyAverage
from tests.store.asking import About, ask, window

HOUR = 3_600
SENDS = About(Spike("spike", ratio=3.0, minimum=20))
ATTEMPTS = About(Spike("spike", ratio=3.0, minimum=20, counts="attempts"))


async def sends(
    store: Store, n: int, start: float, over: float, *abouts: About, **more: Any
) -> list[Answer]:
    """So many messages, evenly over so many seconds."""
    every = over / n
    return [await ask(store, *abouts, at=start + i * every, **more) for i in range(n)]


async def usual(store: Store, about: About = SENDS, hours: int = FOUNDED + 1) -> float:
    """Sixty an hour, for more than a day; returns when it ends."""
    await sends(store, 60 * hours, 0.0, HOUR * hours, about)
    return float(HOUR * hours)


async def test_three_times_the_usual_is_a_spike(store: Store) -> None:
    """Ten in ten minutes are usual here: thirty are not yet one, and one more is."""
    now = await usual(store)
    answers = await sends(store, 50, now, 300, SENDS)
    used = next(a.readings[0].used for a in answers if a.readings[0].full)
    assert 29 <= used <= 31  # the first hour was no whole one
    assert answers[-1].readings[0].full
    assert answers[-1].readings[0].detail[0] == pytest.approx(10_000, rel=0.05)
    assert all(answer.admitted for answer in answers)


async def test_it_goes_on_counting_and_ends_with_its_window(store: Store) -> None:
    """Full or not, what is let through counts."""
    now = await usual(store)
    answers = await sends(store, 100, now, 300, SENDS)
    assert answers[-1].readings[0].used > 99
    assert (await ask(store, SENDS, at=now + 500)).readings[0].full
    assert not (await ask(store, SENDS, at=now + 300 + 601)).readings[0].full


async def test_what_is_refused_is_an_attempt_and_no_message(store: Store) -> None:
    """A flood that is refused is a spike of attempts alone."""
    now = await usual(store, ATTEMPTS)
    answers = await sends(store, 60, now, 300, ATTEMPTS, SENDS, window(1, 600), refused=True)
    assert answers[-1].readings[0].full
    assert answers[-1].readings[1].used == 0


async def test_a_few_are_no_spike(store: Store) -> None:
    """After a day of silence nineteen are infinitely more than usual, and no reason to be woken."""
    await ask(store, SENDS)
    answers = await sends(store, 22, (FOUNDED + 1) * HOUR, 60, SENDS)
    assert [answer.readings[0].full for answer in answers] == [False] * 20 + [True] * 2


async def test_within_the_first_day_nothing_is_usual(store: Store) -> None:
    """And nothing is unusual."""
    now = await usual(store, hours=FOUNDED - 1)
    answers = await sends(store, 200, now, 300, SENDS)
    assert not any(answer.readings[0].full for answer in answers)


async def test_after_eight_days_of_silence_it_begins_anew(store: Store) -> None:
    """What was usual then says nothing now."""
    now = await usual(store)
    answers = await sends(store, 50, now + 200 * HOUR, 60, SENDS)
    assert answers[-1].readings[0].detail == (0, 0)


def hours_until_usual(times: float) -> int:
    """How many hours of an attack make it usual, where 600 an hour were."""
    usual, n = HourlyAverage(), 1
    usual.seen, usual.average = 201, 600_000
    while usual.average * 3 < 600_000 * times:
        usual.hour(round(600 * times))
        n += 1
    return n


def test_a_spike_makes_itself_usual_only_in_days() -> None:
    """Two days and more, however large it is; until then it is one in every ten minutes."""
    assert hours_until_usual(3.5) > 7
    assert hours_until_usual(9.0) > 50
    assert hours_until_usual(100.0) > 150
