from __future__ import annotations

import pytest

from attack_harness.benchmark.card.certainty import with_intervals
from attack_harness.benchmark.card.tally import Tally, least, most, percentile, ratio

from .cells import calm, result


def test_figures_follow_from_the_sums() -> None:
    open_ = result(100.0, unserved=(1,))
    one = Tally.of(result(10.0, messages=4, unserved=(1, 2), challenged=5), open_)
    two = Tally.of(result(0.0, messages=20, delay=None), open_)
    found = Tally.all([one, two]).figures()
    assert found["saved"] == pytest.approx(0.95)
    assert found["spend_with"] == 5.0
    # One of the two had lost his messages without any defence either.
    assert found["harmed_share_all"] == pytest.approx(1 / 198)
    assert found["challenged_share_all"] == pytest.approx(5 / 198)
    assert (found["before_messages_p50"], found["block_messages_p95"]) == (4, 20)
    assert found["unnoticed_share"] == 0.5
    assert (found["delay_p50"], found["delay_p95"]) == (2.0, 600.0)


def test_who_is_never_served_again_counts_as_a_day() -> None:
    shut = result()
    shut["recovery"]["recovery_minutes"] = None
    assert Tally.of(shut, result()).figures()["recovery_p50"] == 1_440


def test_a_calm_day_has_no_figures_about_attacks() -> None:
    found = Tally.of(calm(unserved=(3,)), calm()).figures()
    assert found["harmed_share_all"] == 0.01
    assert "saved" not in found


def test_small_arithmetic() -> None:
    assert (ratio(1, 0), ratio(1, 4)) == (None, 0.25)
    assert [percentile([1, 2, 3, 4], part) for part in (0.0, 0.5, 0.95)] == [1, 2, 4]
    assert percentile([], 0.5) is None
    assert (least([None, 3, 1]), most([None]), most([2, None])) == (1, None, 2)


def seeds(*left: float) -> dict[int, dict[str, Tally]]:
    return {n: {"flood": Tally.of(result(x), result())} for n, x in enumerate(left)}


def saved(*left: float) -> dict[str, float | None]:
    found = with_intervals(seeds(*left), lambda f: Tally.all(f.values()).figures())["saved"]
    assert isinstance(found, dict)
    return found


def test_intervals_hold_what_was_measured_and_narrow_with_agreement() -> None:
    wide, narrow = saved(0, 10, 20, 30, 40), saved(19, 20, 20, 20, 21)
    for found in (wide, narrow):
        assert found["low"] <= found["value"] <= found["high"]  # type: ignore[operator]
        assert found["value"] == pytest.approx(0.8)
    assert wide["low"] < narrow["low"] < narrow["high"] < wide["high"]  # type: ignore[operator]
    assert saved(0, 10, 20, 30, 40) == wide


def test_a_single_seed_has_no_interval() -> None:
    assert saved(5) == {"value": 0.95, "low": None, "high": None}
