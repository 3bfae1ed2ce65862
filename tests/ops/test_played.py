"""Which of the deployments that were played is like the policy at hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pumpguard import Policy
from pumpguard.ops.played import PARTS, Row, nearest, not_enforced, parts_of, rows, told

ALONE = Row(frozenset(), 0.9, 0.5, "account resets", 0.1, "launch", 0.0, "launch")
BOTH = replace(ALONE, parts=frozenset({"home", "verify"}), refused=0.0004)
ALL = replace(ALONE, parts=frozenset(PARTS), refused=0.0, asked=1.0)
PLAYED = [ALONE, BOTH, ALL]


def test_a_policy_has_the_row_of_its_parts() -> None:
    """Of those that were played, the one that has the most of them and no other."""
    policy = Policy(send="/s", home=["GB"], verify="/v")
    assert parts_of(policy, has_challenge=False) == BOTH.parts
    assert nearest(BOTH.parts, PLAYED) is BOTH
    assert nearest(set(PARTS), PLAYED) is ALL
    assert nearest({"verify"}, PLAYED) is ALONE
    assert nearest({"verify"}, [ALL, BOTH]) is BOTH


@pytest.mark.parametrize("use", ["", "login"])
@pytest.mark.parametrize("home", [[], ["GB"]])
@pytest.mark.parametrize("settled", [True, False])
def test_the_default_chain_is_enforced(use: str, home: list[str], settled: bool) -> None:
    """But for what a policy changes, whatever parts it has; a spike is only told of anyway."""
    shares = ["budget"] if use else []
    rules = {"send_spike": {"mode": "off"}}
    whole = Policy(send="/s", home=home, settled=settled, use=use, shares=shares, rules=rules)
    assert not_enforced(whole) == []
    less = replace(whole, rules={"budget": {"mode": "monitor"}, "burst_ban": {"mode": "off"}})
    assert not_enforced(less) == ["burst_ban", "budget"]


def test_every_row_is_a_row() -> None:
    """Shares are shares, and the worst attack is not better than all together."""
    assert frozenset({"home", "verify"}) in {row.parts for row in rows()}
    for row in rows():
        assert 0 <= row.saved_worst <= row.saved <= 1
        assert 0 <= row.refused <= 1
        assert 0 <= row.asked <= 1


def test_each_sentence_is_about_one_part_more() -> None:
    """First the policy at hand, then what would change."""
    mine, more = told(BOTH.parts, PLAYED)
    assert mine.startswith("Played with such a policy (home, verify; on 20")
    assert "0.04 % of the users are refused (launch)" in mine
    assert more.startswith("With a challenge: 90.0 % of what attacks cost is saved, 50.0 % of the ")
    assert "in the worst crowd 0 % of the users are refused (launch)" in more
    assert more.endswith("and 100 % asked for proof (launch).")
    (alone,) = told(frozenset({"verify"}), PLAYED)[:1]
    assert alone.startswith("Played with the policy that is most like it (send alone; ")
