"""How long a shadow takes: as long as real sends lately did, and it fails as they do."""

from __future__ import annotations

import math
import random
import statistics
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from pumpguard.shadow import latency as latency_module
from pumpguard.shadow.latency import (
    ENOUGH,
    KEPT,
    MAX_LATENESS,
    OWN_ENOUGH,
    PRIOR_MEDIAN,
    LatencyModel,
    PreciseSleep,
)


def drawn(model: LatencyModel, country: str | None = None, times: int = 2_000) -> list[float]:
    return [model.draw(country).seconds for _ in range(times)]


def test_before_any_send_was_seen_the_prior_is_drawn_from() -> None:
    """An assumption, with a median and a spread; an app that knows better says so."""
    seconds = drawn(LatencyModel())
    assert statistics.median(seconds) == pytest.approx(PRIOR_MEDIAN, rel=0.1)
    assert len(set(seconds)) == len(seconds)
    assert statistics.median(drawn(LatencyModel((0.02, 0.1)))) == pytest.approx(0.02, rel=0.1)


def test_a_few_sends_say_how_long_and_the_prior_how_much_that_varies() -> None:
    model = LatencyModel()
    for _ in range(ENOUGH - 1):
        model.add(0.005, "GB")
    seconds = drawn(model)
    assert statistics.median(seconds) == pytest.approx(0.005, rel=0.1)
    assert statistics.stdev(map(math.log, seconds)) == pytest.approx(0.4, rel=0.1)


def test_draws_are_distributed_as_what_was_seen_and_repeat_none_of_it() -> None:
    """A Kolmogorov-Smirnov test between real sends and as many draws: p is far from nothing."""
    rng = random.Random(5)
    model = LatencyModel()
    real = [rng.lognormvariate(math.log(0.1), 0.5) for _ in range(KEPT)]
    for seconds in real:
        model.add(seconds, "GB")
    made = drawn(model, "FR", KEPT)
    assert ks_2samp(real, made).pvalue > 1e-4
    assert ks_2samp(real, [2 * each for each in made]).pvalue < 1e-4
    assert not set(made) & set(real)


def test_a_provider_that_has_become_slow_is_slow_in_shadow_too() -> None:
    """Only the newest count."""
    model = LatencyModel()
    for seconds in (0.1, 3.0):
        for _ in range(KEPT):
            model.add(seconds, "GB")
    assert min(drawn(model)) > 1


def test_a_country_with_sends_of_its_own_is_drawn_from_those() -> None:
    model = LatencyModel()
    for _ in range(OWN_ENOUGH):
        model.add(0.4, "KZ")
        model.add(0.1, "GB")
    assert statistics.median(drawn(model, "KZ")) == pytest.approx(0.4, rel=0.01)
    assert statistics.median(drawn(model, "GB")) == pytest.approx(0.1, rel=0.01)
    assert 0.05 < statistics.fmean(took < 0.2 for took in drawn(model, "TJ")) < 0.95


def test_it_fails_as_often_as_the_provider_does() -> None:
    """One in four, with an error of the same kind that says nothing of the first one."""
    model = LatencyModel()
    for n in range(100):
        model.add(0.1, None, TimeoutError(f"+44740012345{n}") if n % 4 == 0 else None)
    failures = [took.failure for _ in range(400) if (took := model.draw(None)).failure]
    assert 40 < len(failures) < 180
    assert {type(failure) for failure in failures} == {TimeoutError}
    assert {str(failure) for failure in failures} == {""}


class Picky(Exception):
    """An error that cannot be made without knowing things."""

    def __init__(self, phone: str, *, status: int) -> None:
        super().__init__(phone)
        self.status = status


def test_an_error_is_made_anew_whatever_its_constructor_wants() -> None:
    """What it said of a number is not said again."""
    model = LatencyModel()
    for _ in range(ENOUGH):
        model.add(0.1, None, Picky("+447400123456", status=3))
    failure = model.draw(None).failure
    assert type(failure) is Picky
    assert (failure.args, vars(failure)) == ((), {})


def test_an_error_of_the_system_keeps_its_number_and_not_its_names() -> None:
    model = LatencyModel()
    for _ in range(ENOUGH):
        model.add(0.1, None, ConnectionRefusedError(111, "to somebody", "their file"))
    failure = model.draw(None).failure
    assert isinstance(failure, ConnectionRefusedError)
    assert (failure.errno, failure.filename) == (111, None)
    assert "somebody" not in str(failure)


@given(st.lists(st.floats(0, 60), min_size=ENOUGH, max_size=80))
def test_whatever_was_seen_a_draw_is_a_time_near_it(seconds: list[float]) -> None:
    model = LatencyModel()
    for each in seconds:
        model.add(each, "GB")
    took = model.draw("GB")
    assert 0 < took.seconds < 3_600
    assert took.failure is None


def test_memory_is_bounded_by_countries_and_by_sends() -> None:
    model = LatencyModel()
    for n in range(10 * KEPT):
        model.add(0.1, f"{n % 500}")
    assert len(model._all) == KEPT
    assert len(model._of) <= latency_module.COUNTRIES


async def test_a_sleep_ends_about_when_it_should_and_one_stall_does_not_make_it_hurry() -> None:
    """The correction is felt for in steps, up to three milliseconds."""
    sleep = PreciseSleep()
    for _ in range(5):
        await sleep.until(time.perf_counter() - 30)  # thirty seconds too late
    assert sleep._late <= MAX_LATENESS
    moment = time.perf_counter() + 0.02
    await sleep.until(moment)
    assert time.perf_counter() > moment - MAX_LATENESS - 0.001
