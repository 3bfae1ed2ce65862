"""The study of adaptive_prefix: what it prints is what it counted."""

from __future__ import annotations

from attack_harness.adaptive import Attack, line, run
from pumpguard.counters import Trie

COUNTER = Trie("adaptive_prefix")


def test_a_block_is_stopped_early_and_users_are_not() -> None:
    found = run(COUNTER, 1, 60, Attack(3, 300))
    assert 3 <= found.passed <= 25
    assert found.closed >= 1
    assert found.refused <= found.users / 100


def test_the_same_seed_is_the_same_run() -> None:
    assert run(COUNTER, 2, 60, Attack(5, 60)) == run(COUNTER, 2, 60, Attack(5, 60))


def test_a_row_adds_up() -> None:
    found = run(COUNTER, 3, 30)
    assert found.passed == 0
    assert line("none", [found, found]).startswith("| none | 0 | 0 |")
