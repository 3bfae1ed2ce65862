"""Which of the deployments that were played is like the policy at hand."""

from __future__ import annotations

from pumpguard import Policy
from pumpguard.ops.played import PARTS, nearest, parts_of, rows, told


def test_a_policy_has_the_row_of_its_parts() -> None:
    """Of those that were played, the one that has the most of them and no other."""
    policy = Policy(send="/s", home=["GB"], verify="/v")
    assert parts_of(policy, has_challenge=False) == {"home", "verify"}
    assert nearest({"home", "verify"}).parts == {"home", "verify"}
    assert nearest(set(PARTS)).parts == set(PARTS)
    assert nearest({"verify"}).parts == frozenset()
    assert nearest({"home", "challenge"}).parts == {"home", "challenge"}


def test_every_row_is_a_row() -> None:
    """Shares are shares, and the worst attack is not better than all together."""
    assert {frozenset(), frozenset({"home", "verify"}), frozenset(PARTS)} <= {
        r.parts for r in rows()
    }
    for row in rows():
        assert 0 <= row.saved_worst <= row.saved <= 1
        assert 0 <= row.refused <= 1
        assert 0 <= row.asked <= 1


def test_each_sentence_is_about_one_part_more() -> None:
    """First the policy at hand, then what would change."""
    alone = told(Policy(send="/s"), has_challenge=False)
    assert alone[0].startswith("Played with such a policy (send alone; 20")
    assert [line.partition(":")[0] for line in alone[1:]] == ["With home="]
    assert len(told(Policy(send="/s", home=["GB"], verify="/v"), has_challenge=True)) == 1
