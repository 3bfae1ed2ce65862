"""How often somebody who is paid per question may be asked."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pumpguard.scores.lookup import DAY, HOUR, Allowance
from pumpguard.testing import FakeClock


def test_an_hour_has_a_sixth_of_a_day() -> None:
    """A flood uses up an hour, not the day."""
    clock = FakeClock()
    allowance = Allowance(12, clock)
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    clock.advance(HOUR)
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_one_a_day_is_one_a_day() -> None:
    clock = FakeClock()
    allowance = Allowance(1, clock)
    assert [allowance.take() for _ in range(2)] == [True, False]
    clock.advance(DAY)
    assert allowance.take()


@given(per_day=st.integers(1, 20), steps=st.lists(st.floats(0, 9_000), max_size=200))
def test_no_true_window_holds_more(per_day: int, steps: list[float]) -> None:
    """Neither any hour nor any 24 of them, wherever they begin."""
    clock = FakeClock()
    allowance = Allowance(per_day, clock)
    taken = []
    for step in steps:
        now = clock.advance(step)
        if allowance.take():
            taken.append(now)
    for seconds, most in ((HOUR, max(1, per_day // 6)), (DAY, per_day)):
        assert all(sum(end - seconds < t <= end for t in taken) <= most for end in taken)
