"""An adversary who knows the algorithm and looks for the edges of its buckets."""

from __future__ import annotations

import pytest

from pumpguard.counters import SLICES, Window
from pumpguard.counters.plan import Plan
from pumpguard.store.base import Question
from pumpguard.store.memory import MemoryStore

SECONDS = 10
STEP = 0.025
IN_SLICES = 255
"""Room that nobody has earned, which makes of a small limit one that is kept in slices."""


GAPS = (*range(0, 360, 29), *range(360, 480, 7))
"""In steps, between two bursts: up to 1.2 windows."""


def limited(limit: int, most: int = 1) -> Plan:
    """One window, exact or, if it might let through ``most`` times as many, in slices."""
    return Plan([Window("r", "x", limit, SECONDS, max_factor=most)], [True])


def burst(store: MemoryStore, plan: Plan, at: float, requests: int) -> list[float]:
    """As many requests as fit at one moment."""
    admitted = []
    for _ in range(requests):
        if not store.decide_now(Question(plan, ("me",), at=at)).admitted:
            break
        admitted.append(at)
    return admitted


def densest(times: list[float]) -> int:
    """The most admissions in any true window (t - W, t]."""
    most, first = 0, 0
    for last, time in enumerate(times):
        while times[first] <= time - SECONDS + 1e-9:
            first += 1
        most = max(most, last - first + 1)
    return most


@pytest.mark.parametrize(
    ("limit", "most"), [(1, 1), (7, 1), (40, 1), (3, IN_SLICES), (11, IN_SLICES), (100, IN_SLICES)]
)
def test_bursts_at_any_two_moments_never_get_more_than_the_limit(limit: int, most: int) -> None:
    """Offsets of two bursts against the slices, closely where the first one leaves the window: a
    two-bucket window admits nearly twice the limit to this, and so does a fixed one."""
    for start in range(0, 40, 3):
        for gap in GAPS:
            store, plan = MemoryStore(), limited(limit, most)
            at = 1_700_000_000 + start * STEP
            times = burst(store, plan, at, limit + 1)
            times += burst(store, plan, at + gap * STEP, limit + 1)
            assert densest(times) <= limit


@pytest.mark.parametrize(("limit", "most"), [(3, 1), (100, 1), (3, IN_SLICES), (100, IN_SLICES)])
def test_a_greedy_client_gets_the_limit_and_nearly_all_of_it(limit: int, most: int) -> None:
    """Asking all the time: never more than L per window, and at least k / (k + 1) of the rate; all
    of it by an exact window."""
    store, plan = MemoryStore(), limited(limit, most)
    times: list[float] = []
    windows = 8
    for step in range(round(windows * SECONDS / STEP)):
        times += burst(store, plan, 1_700_000_000 + step * STEP, limit + 1)
    assert densest(times) == limit
    share = 1.0 if most == 1 else SLICES / (SLICES + 1)
    assert len(times) >= windows * limit * share - 1


@pytest.mark.parametrize(("limit", "most"), [(5, 1), (50, 1), (50, IN_SLICES)])
def test_a_patient_client_finds_no_gap(limit: int, most: int) -> None:
    """Fill the window late in a slice, then try every moment after: nothing opens early."""
    for late in range(1, 40):
        store, plan = MemoryStore(), limited(limit, most)
        filled = 1_700_000_000 + late * STEP
        times = burst(store, plan, filled, limit)
        step = 1
        while len(times) == limit:
            times += burst(store, plan, filled + step * STEP, 1)
            step += 1
        assert times[-1] - filled >= SECONDS - 1e-6
        late_by = 0 if most == 1 else SECONDS / SLICES
        assert times[-1] - filled <= SECONDS + late_by + STEP
