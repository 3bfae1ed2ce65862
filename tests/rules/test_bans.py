"""sliding_ban and shadow_ban: strikes, growth, and what the subject gets to see."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, PolicyError
from pumpguard.rules import Number, PrefixPattern, RateLimit, ShadowBan, SlidingBan
from tests.rules.trying import Trying

ONE, OTHER = "+447400123456", "+33612345678"
UNALLOCATED = "+441111111111"
COOLDOWN = RateLimit(name="cooldown", by="phone", limits="1/minute")


async def test_too_many_refusals_ban_the_network() -> None:
    """Three strikes in an hour, and everything from there is refused for ten minutes."""
    app = Trying(COOLDOWN, SlidingBan(strikes="3/hour", after=["cooldown"], jitter=0))
    await app.send(ONE)
    assert [(await app.send(ONE)).action for _ in range(2)] == [Action.THROTTLE] * 2
    struck = await app.send(ONE)
    assert struck.action is Action.BLOCK
    assert struck.finding is not None
    assert struck.finding.code == "BANNED"
    assert not await app.allows(OTHER)
    assert await app.allows(OTHER, address="198.51.100.7")
    assert not await app.allows(OTHER, after=599)
    assert await app.allows(OTHER, after=1)


async def test_repeat_offenders_wait_longer() -> None:
    """10 minutes, 50 minutes, 250 minutes."""
    app = Trying(Number(), SlidingBan(strikes="1/hour", after=["number"], jitter=0))
    waits = []
    for _ in range(3):
        decision = await app.send(UNALLOCATED)
        waits.append(decision.retry_after)
        app.clock.advance(decision.retry_after or 0)
    assert waits == [600, 3000, 15_000]


async def test_whoever_was_asked_is_asked_again() -> None:
    """Until the hour is over or proof is brought, which gives no strikes."""
    asks = RateLimit(name="asks", by="country", limits="1/minute", action="challenge")
    app = Trying(
        asks,
        SlidingBan(
            strikes="1/hour", after=["asks"], base=3_600, jitter=0, action="challenge",
            challenges=True, spare_proved=True,
        ),
    )  # fmt: skip
    assert await app.allows(ONE)
    assert (await app.send(ONE)).action is Action.CHALLENGE
    asked = await app.send(OTHER, after=120)
    assert asked.action is Action.CHALLENGE
    assert asked.finding is not None
    assert asked.finding.rule == "sliding_ban"
    assert await app.allows(OTHER, proved=True)
    assert await app.allows(OTHER, address="198.51.100.7", after=120)
    assert not await app.allows(OTHER, after=3_200)
    assert await app.allows(OTHER, after=200)


async def test_a_challenge_is_no_strike_unless_the_ban_says_so() -> None:
    asks = RateLimit(name="asks", by="country", limits="1/minute", action="challenge")
    app = Trying(asks, SlidingBan(strikes="1/hour", after=["asks"]))
    assert await app.allows(ONE)
    assert (await app.send(ONE)).action is Action.CHALLENGE
    assert await app.allows(OTHER)


async def test_a_burst_counts_every_request() -> None:
    """Fifty requests in five minutes from one address: the shape that SOCs look for."""
    app = Trying(SlidingBan(strikes="50 per 5 minute"))
    actions = [(await app.send(f"+4474001{i:05}")).action for i in range(60)]
    assert actions == [Action.ALLOW] * 49 + [Action.BLOCK] * 11


async def test_a_slow_sender_is_no_burst() -> None:
    """The same number of requests in an hour passes."""
    app = Trying(SlidingBan(strikes="50 per 5 minute"))
    for i in range(80):
        assert await app.allows(f"+4474001{i:05}", after=10)


async def test_shadow_looks_like_success_from_the_first_finding_on() -> None:
    """The request that completes the strikes is shadowed itself, and so are its neighbours."""
    app = Trying(
        PrefixPattern(neighbours=2), ShadowBan(strikes="1/hour", after=["prefix_pattern"], jitter=0)
    )
    actions = [(await app.send(f"+44740012345{i}")).action for i in range(5)]
    assert actions == [Action.ALLOW] * 2 + [Action.SHADOW] * 3
    far = await app.send("+447400123999")
    assert far.action is Action.SHADOW
    assert far.finding is not None
    assert far.finding.code == "SHADOW_BANNED"
    assert await app.allows("+447400124999")
    assert await app.allows("+447400123888", address="198.51.100.7")


async def test_a_shadow_hides_nothing_from_who_has_verified() -> None:
    """Nor does it stand for them where somebody else behind their address has earned it."""
    app = Trying(
        PrefixPattern(neighbours=2),
        ShadowBan(strikes="1/hour", after=["prefix_pattern"]),
        settled=True,
    )
    await app.verified_customer("+447400123900")
    actions = [(await app.send(f"+44740012345{i}")).action for i in range(4)]
    assert actions == [Action.ALLOW] * 2 + [Action.SHADOW] * 2
    assert (await app.send("+447400123999")).action is Action.SHADOW
    assert await app.allows("+447400123900")


@pytest.mark.parametrize("by", ["phone", "prefix:3", "everything", ["country", "prefix:2"]])
def test_what_requests_point_at_is_not_banned(by: Any) -> None:
    """Anybody can point at it, and is refused for nothing."""
    with pytest.raises(PolicyError) as error:
        SlidingBan(strikes="3/hour", by=by)
    assert error.value.path == "rules.sliding_ban.by"


async def test_a_monitored_shadow_sends() -> None:
    """In monitor mode the finding is there, and so is the message."""
    app = Trying(
        PrefixPattern(neighbours=1, mode="monitor"),
        ShadowBan(strikes="1/hour", after=["prefix_pattern"], mode="monitor"),
    )
    for i in range(4):
        assert await app.allows(f"+44740012345{i}")


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"strikes": "3/hour; 5/day"}, "strikes"),
        ({"strikes": "many"}, "strikes"),
        ({"strikes": "3/hour", "base": 0}, "base"),
        ({"strikes": "3/hour", "base": 100, "cap": 50}, "base"),
        ({"strikes": "3/hour", "factor": 0.5}, "factor"),
        ({"strikes": "3/hour", "jitter": 1.0}, "jitter"),
        ({"strikes": "3/hour", "memory": 0}, "memory"),
        ({"strikes": "3/hour", "by": "the moon"}, "by"),
    ],
)
def test_nonsense_is_refused_at_construction(settings: dict[str, Any], field: str) -> None:
    """The error names the exact place."""
    with pytest.raises(PolicyError) as error:
        SlidingBan(**settings)
    assert error.value.path == f"rules.sliding_ban.{field}"
