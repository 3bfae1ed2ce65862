"""The arithmetic of the benchmarks."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.kit.client import Block
from benchmarks.kit.rounds import Pair, summary
from benchmarks.kit.servers import Reading
from benchmarks.kit.stats import added, paired, quantile, share_of, spread

VALUES = st.lists(st.floats(0.1, 1e6), min_size=1, max_size=30)


def test_spread_is_the_median_with_its_quartiles() -> None:
    found = spread([4.0, 1.0, 3.0, 2.0, 5.0])
    assert (found.low, found.median, found.high, found.n) == (2.0, 3.0, 4.0, 5)


@given(VALUES)
def test_quantiles_are_ordered_and_inside(values: list[float]) -> None:
    found = spread(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)
    assert quantile(values, 0) == min(values)
    assert quantile(values, 1) == max(values)


def test_quantile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_ratios_are_paired_within_a_round() -> None:
    # The machine was twice as slow in the second round: the ratio does not notice.
    assert paired([140.0, 280.0], [100.0, 200.0]) == pytest.approx([1.4, 1.4])
    assert added([140.0, 280.0], [100.0, 200.0]) == pytest.approx([0.4, 0.4])
    with pytest.raises(ValueError, match="zip"):
        paired([1.0], [1.0, 2.0])


def test_shares_leave_out_rounds_that_noise_swallowed() -> None:
    assert share_of([0.4, 0.4], [4.0, -0.1]) == pytest.approx([0.1])


def test_a_summary_counts_per_request() -> None:
    slow = Block(100, 0.02, 0.01, [0.0002] * 100, Counter({202: 99, 429: 1}))
    bare = Block(200, 0.02, 0.02, [0.0001] * 200, Counter({202: 200}))
    found = summary([Pair(slow, bare, Reading(0.003, 700, 100))] * 3)
    medians = {name: each["median"] for name, each in found.items() if isinstance(each, dict)}
    assert medians == pytest.approx(
        {
            "microseconds": 200,
            "added_microseconds": 100,
            "ratio_to_bare": 2,
            "added_to_bare": 1,
            "cpu_ratio_to_bare": 1,
            "python_cpu_microseconds": 100,
            "server_cpu_microseconds": 30,
            "server_reads": 1,
            "server_commands": 7,
            "p50_microseconds": 200,
            "p99_microseconds": 200,
        }
    )
    assert found["admitted"] == 0.99
    assert found["requests"] == 300
