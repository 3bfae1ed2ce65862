"""prefix_pattern: the narrowest block of numbers that explains a surge."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, PolicyError
from pumpguard.rules import PrefixPattern, RateLimit
from tests.rules.trying import Trying

BLOCK = 7_400_120_000


def number(offset: int) -> str:
    return f"+44{BLOCK + offset}"


async def refused(app: Trying, *offsets: int) -> list[Any]:
    """The block sizes that the refusals were put down to; nothing for what was let through."""
    found = []
    for offset in offsets:
        finding = (await app.send(number(offset))).finding
        found.append(finding.evidence["block"] if finding else None)
    return found


async def test_a_walk_is_refused_after_three_neighbours() -> None:
    """…1 …2 …3 are let through; …4 has three neighbours."""
    app = Trying(PrefixPattern(neighbours=3))
    assert await refused(app, 1, 2, 3, 4, 5) == [None, None, None, 21, 21]


async def test_a_walk_backwards_or_with_strides_is_a_walk() -> None:
    """Order does not matter, and steps of five stay within reach."""
    app = Trying(PrefixPattern(neighbours=2))
    assert await refused(app, 500, 495, 490) == [None, None, 21]
    assert await refused(app, 9000, 9010, 9005) == [None, None, 21]


async def test_a_shuffled_block_fills_its_block() -> None:
    """Numbers too far apart to be neighbours share the block of 100, then that of 1,000."""
    app = Trying(PrefixPattern(blocks={"100": "2/hour", "1000": "4/hour"}))
    assert await refused(app, 11, 77, 55) == [None, None, 100]
    assert await refused(app, 111, 277, 333) == [None, None, 1000]


async def test_the_narrowest_block_is_the_one_refused() -> None:
    """A surge in one hundred leaves the nine hundreds beside it, and the thousand around it."""
    app = Trying(PrefixPattern(blocks={"100": "3/hour", "1000": "5/hour"}))
    assert await refused(app, 0, 33, 66, 99, 5, 42) == [None, None, None, 100, 100, 100]
    assert await refused(app, 150, 250) == [None, None]


async def test_proof_may_be_asked_for_first() -> None:
    """It opens nothing: whoever buys solutions pays for a refusal."""
    app = Trying(PrefixPattern(blocks={"1000": "1/hour"}, ask_first=True))
    assert await app.allows(number(0))
    assert (await app.send(number(500))).action is Action.CHALLENGE
    assert (await app.send(number(500), proved=True)).action is Action.THROTTLE


async def test_the_evidence_names_the_block() -> None:
    """Which block, how many, and when it opens; the subject is the prefix."""
    app = Trying(PrefixPattern(blocks={"1000": "1/hour"}))
    await app.send(number(1))
    decision = await app.send(number(2), after=600)
    assert decision.finding is not None
    assert decision.finding.code == "PREFIX_SURGE"
    assert decision.finding.subject == "+447400120"
    assert decision.finding.evidence == {
        "block": 1000, "used": 1, "limit": 1, "seconds": 3600, "prefix": "+447400120",
    }  # fmt: skip
    assert decision.retry_after == 3000


async def test_home_has_room_for_its_many_users() -> None:
    """Where most users live, the same block may take ten times as many."""
    app = Trying(PrefixPattern(blocks={"10000": "2/hour"}, relaxed_regions=["GB"]))
    assert await refused(app, *range(0, 2000, 100)) == [None] * 20
    assert (await app.send(number(5))).finding is not None


async def test_short_plans_have_no_blocks_that_cut_into_the_calling_code() -> None:
    """A block must leave at least one digit of the national number."""
    app = Trying(PrefixPattern(blocks={"1000000": "1/hour"}))
    for _ in range(3):
        assert await app.allows("+3546110000")  # 7 digits: a block of a million is 1 digit
        break
    assert not await app.allows("+3546990000")
    assert await app.allows("+299221234")  # Greenland: 6 digits, no such block
    assert await app.allows("+299221235")


async def test_it_works_in_a_chain_all_or_nothing() -> None:
    """Requests refused by another rule fill no block."""
    app = Trying(RateLimit(by="network", limits="1/hour"), PrefixPattern(blocks={"1000": "2/hour"}))
    for offset in range(0, 1000, 50):
        await app.send(number(offset))
    assert await app.allows(number(999), address="198.51.100.7")


@given(offsets=st.lists(st.integers(0, 9999), max_size=60, unique=True))
async def test_no_block_ever_admits_more_than_its_limit(offsets: list[int]) -> None:
    """Whatever the order, each hundred gets at most 3 and each thousand at most 7."""
    app = Trying(PrefixPattern(blocks={"100": "3/hour", "1000": "7/hour"}))
    admitted = [offset for offset in offsets if await app.allows(number(offset))]
    for width, limit in ((100, 3), (1000, 7)):
        blocks = [offset // width for offset in admitted]
        assert all(blocks.count(block) <= limit for block in blocks)


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"blocks": {"50": "1/hour"}}, "blocks"),
        ({"blocks": {"1": "1/hour"}}, "blocks"),
        ({"blocks": {"100": "never"}}, "blocks.100"),
        ({"blocks": {"100": 4}}, "blocks"),
        ({"neighbours": -1}, "neighbours"),
        ({"neighbours": 33}, "neighbours"),
        ({"neighbours": 2, "distance": 0}, "distance"),
        ({"neighbours": 2, "seconds": 0}, "seconds"),
        ({"relaxed_factor": 0}, "relaxed_factor"),
        ({"blocks": {"100": "4000000000/day"}}, "relaxed_factor"),
    ],
)
def test_nonsense_is_refused_at_construction(settings: dict[str, Any], field: str) -> None:
    """The error names the exact place."""
    with pytest.raises(PolicyError) as error:
        PrefixPattern(**settings)
    assert error.value.path == f"rules.prefix_pattern.{field}"
