"""Attempts that send nothing have a limit of their own."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, Decision, PolicyError
from pumpguard.rules import RateLimit, UnsentLimit
from pumpguard.testing import Trial

PHONES = RateLimit(name="phone_limit", by="phone", limits="1/day")


async def nothing_sent(trial: Trial, number: int, **facts: Any) -> Decision:
    """An attempt, which sends nothing if it is let through."""
    decision = await trial.send(f"+44740012{number:04}", **facts)
    if decision.allowed:
        trial.guard.settle(decision, "not_sent")
        await trial.guard.settled()
    return decision


async def test_proof_is_asked_for_and_with_proof_there_is_more() -> None:
    """Nobody tries numbers for free."""
    trial = Trial(UnsentLimit(limit=3, proved_limit=5), PHONES)
    asked = [(await nothing_sent(trial, n)).action for n in range(5)]
    assert asked == [Action.ALLOW] * 3 + [Action.CHALLENGE] * 2
    proved = [await nothing_sent(trial, n, proved=True) for n in range(4)]
    assert [each.action for each in proved] == [Action.ALLOW] * 2 + [Action.THROTTLE] * 2
    assert proved[-1].finding is not None
    assert proved[-1].finding.code == "UNSENT_LIMIT"
    assert (proved[-1].retry_after or 0) > 3_000


async def test_it_is_the_addresss_and_never_the_numbers() -> None:
    """A stranger who sends nothing to a number uses up his own."""
    trial = Trial(UnsentLimit(limit=3), PHONES)
    for _ in range(5):
        await nothing_sent(trial, 1, address="198.51.100.7")
    assert (await trial.send("+447400120001")).allowed


async def test_what_is_sent_is_none() -> None:
    """However much that is."""
    trial = Trial(UnsentLimit(limit=1), RateLimit(by="phone", limits="9/day"))
    assert all([(await trial.send()).allowed for _ in range(5)])


async def test_verified_users_have_more() -> None:
    """Hundreds of people share an address."""
    trial = Trial(
        UnsentLimit(limit=1, earned=4), RateLimit(by="phone", limits="9/day"), settled=True
    )
    for number in range(5):
        await trial.send(f"+44740012{number:04}")
        trial.clock.advance(20 + number**2)
        trial.guard.verified(f"+44740012{number:04}")
        await trial.guard.settled()
    allowed = [(await nothing_sent(trial, 100 + n)).allowed for n in range(6)]
    assert 2 <= sum(allowed) <= 4


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 30, "proved_limit": 20}, "limit"),
        ({"seconds": 0}, "seconds"),
        ({"earned": 0}, "earned"),
        ({"earned": 5}, "earned"),
        ({"by": ()}, "by"),
        ({"by": ("nobody knows",)}, "by.0"),
    ],
)
def test_what_makes_no_sense_is_refused(settings: dict[str, Any], path: str) -> None:
    """With its path; the exact time of each is kept, so no more than 512."""
    with pytest.raises(PolicyError) as caught:
        UnsentLimit(**settings)
    assert caught.value.path == f"rules.unsent_limit.{path}"
