"""The study of a population's shape: who speaks about what, where twenty users come an hour."""

from __future__ import annotations

import pytest

from attack_harness import shape

USERS = 20


@pytest.mark.parametrize(
    ("spread", "signal", "silent"),
    [
        (shape.Spread("a block"), "gaps", "unallocated"),
        (shape.Spread("blocks", 300, 40), "gaps", "trie"),
        (shape.Spread("digits", 300, 0, owned=False), "unallocated", "gaps"),
    ],
)
def test_each_attack_is_seen_by_the_signal_that_is_about_it(
    spread: shape.Spread, signal: str, silent: str
) -> None:
    """And the rule is no later than that signal, give or take what others asked before."""
    seen = shape.run(1, USERS, spread)
    assert seen.first[signal] < 40
    assert seen.first["all"] < 40
    assert silent not in seen.first
    assert 0 < seen.passed < seen.sent
    assert seen.alarms[signal] > 0


def test_a_promotion_is_seen_by_none() -> None:
    """Five times as many users: nobody is asked, and there is no alarm."""
    seen = shape.run(1, USERS, shape.Spread("none", 0, busier=5.0))
    assert seen.users > 300
    assert not any(seen.asked.values())
    assert not any(seen.alarms.values())


def test_numbers_in_order_are_in_order() -> None:
    """The naive script is found at its sixth message."""
    seen = shape.run(1, USERS, shape.Spread("in order", in_order=True))
    assert seen.first["gaps"] < 9


def test_a_row_says_never_and_in_how_many_runs() -> None:
    """What was found in one run of two is the median of that one."""
    seen = [shape.Seen(first={"gaps": 7, "all": 7}, sent=10, passed=5, users=10) for _ in range(2)]
    seen[0].first = {}
    assert shape.line("name", seen).startswith("| name | 7 (1 of 2) | never | never | 7 (1 of 2) |")
    assert "| 50% |" in shape.line("name", seen)
