"""earned_trust: offices, carrier NAT and lecture halls get room; who never verifies does not."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, Policy, PolicyError
from pumpguard.outcomes import Outcomes
from pumpguard.rules import PrefixPattern, RateLimit, SlidingBan
from pumpguard.rules.defaults import default_rules
from tests.rules.trying import Trying, numbers

TYPED_AFTER = (2, 3, 4, 7, 11)
"""So many people later does everybody in a lecture hall enter the code: some are faster."""

OFFICE, ELSEWHERE = "81.2.69.142", "198.51.100.7"
LIMIT = RateLimit(name="network_limit", by="network", limits="20/hour", earned=5)


async def people(app: Trying, count: int, address: str = OFFICE, verified: float = 1.0) -> int:
    """So many people ask for a code, and some of them enter it; returns how many got one."""
    got = due = 0.0
    for phone in numbers(count, app):
        admitted = await app.allows(phone, address, after=10)
        got += admitted
        due += verified * admitted
        if due >= 1:
            due -= 1
            await app.verified(phone)
    return int(got)


async def test_a_crowd_that_verifies_needs_no_history() -> None:
    """Seventy people in twelve minutes behind one address that may ask for twenty an hour."""
    app = Trying(LIMIT, settled=True)
    assert await people(app, 70, verified=0.72) == 70


async def test_a_bot_behind_one_address_gets_the_limit() -> None:
    """The same requests, and nobody enters a code; nor does a third of them make a difference."""
    for verified in (0.0, 0.33):
        app = Trying(LIMIT, settled=True)
        assert await people(app, 70, verified=verified) == 20


async def test_room_is_bounded_whoever_verifies() -> None:
    """Five times twenty an hour, and the finding says which limit it was."""
    app = Trying(LIMIT, settled=True)
    assert await people(app, 150) == 100
    refused = await app.send(*numbers(1, app), OFFICE)
    assert refused.finding is not None
    assert refused.finding.evidence["limit"] == 100


async def test_an_office_keeps_its_room_over_the_weekend() -> None:
    """Forty a day for a week; on Monday eighty new colleagues come at once."""
    app = Trying(LIMIT, settled=True)
    for _ in range(5):
        assert await people(app, 40, verified=0.8) == 40
        app.clock.advance(86_400)
    app.clock.advance(2 * 86_400)
    assert [await app.allows(phone, OFFICE) for phone in numbers(80, app)] == [True] * 80
    assert [await app.allows(phone, ELSEWHERE) for phone in numbers(30, app)].count(True) == 20


async def test_who_verifies_his_own_buys_less_than_two_messages_with_each() -> None:
    """He enters the codes of fifty numbers and then pumps: what he sends takes his room away."""
    app = Trying(
        RateLimit(name="network_limit", by="network", limits="20 per 7 day", earned=50),
        settled=True,
    )
    assert await people(app, 50) == 50
    pumped = await people(app, 400, verified=0.0)
    assert 20 < pumped < 50 + pumped < 20 + 50 * 65 / 35


async def test_a_number_counts_once_a_day() -> None:
    """Entering codes for one number again and again earns what the first one did."""
    app = Trying(
        RateLimit(name="network_limit", by="network", limits="20/day", earned=50), settled=True
    )
    (phone,) = numbers(1, app)
    for _ in range(20):
        assert await app.allows(phone, OFFICE, after=60)
        await app.verified(phone)
    assert await people(app, 30, verified=0.0) <= 4


async def test_a_lecture_hall_passes_the_default_chain() -> None:
    """150 people in ten minutes behind one address, who enter their codes. Whoever is
    asked for proof gives it, and hardly anybody is."""
    app = Trying(*default_rules(["GB"], verified=True), settled=True)
    got = asked = 0
    hall = [f"+4474{n * 34_102_947 % 10**8:08}" for n in range(150)]
    for n, phone in enumerate(hall):
        facts: dict[str, Any] = {"country": "GB", "price": 0.05}
        decision = await app.send(phone, OFFICE, after=2 + n * 7 % 5, **facts)
        if decision.action is Action.CHALLENGE:
            asked += 1
            decision = await app.send(phone, OFFICE, proved=True, **facts)
        got += decision.allowed
        for which, later in enumerate(TYPED_AFTER):
            theirs = n - later
            if theirs >= 0 and theirs % len(TYPED_AFTER) == which:
                await app.verified(hall[theirs])
    assert (got, asked) == (150, 0)


async def test_who_proves_himself_gives_no_strikes() -> None:
    """Others do, and when they have got the address banned, it is banned for everybody."""
    app = Trying(SlidingBan(strikes="20 per 5 minute", spare_proved=True))
    for phone in numbers(40, app):
        assert await app.allows(phone, OFFICE, proved=True)
    actions = [(await app.send(phone, OFFICE)).action for phone in numbers(21, app)]
    assert actions == [Action.ALLOW] * 19 + [Action.BLOCK] * 2
    assert not await app.allows(*numbers(1, app), OFFICE, proved=True)


async def test_strikes_of_a_crowd_that_verifies() -> None:
    """Burst bans give the same room."""
    app = Trying(SlidingBan(strikes="20/hour", earned=3), settled=True)
    assert await people(app, 100) == 59


async def test_blocks_of_numbers_may_have_room() -> None:
    """A block of 10,000 whose users verify is a carrier's, and not somebody's."""
    app = Trying(PrefixPattern(blocks={"10000": "12/hour"}, earned=2), settled=True)
    block = [f"+44740012{number:04}" for number in range(0, 4_000, 101)]
    got = 0
    for phone in block:
        if await app.allows(phone, after=10):
            got += 1
            await app.verified(phone)
    assert got == 24


def test_a_policy_remembers_what_its_rules_ask_for() -> None:
    """Once for each dimension, whatever rules there are; and not at all where none gives room."""
    policy = Policy(
        send="/s",
        verify="/v",
        rules=(LIMIT, RateLimit(name="asn", by=("asn", "country"), limits="9/hour", earned=2)),
    )
    assert policy.outcome_counters is not None
    trusts = policy.outcome_counters.trusts
    assert [trust.by for trust in trusts] == ["network", "asn+country"]
    plain = Policy(send="/s", verify="/v", rules=(RateLimit(by="phone", limits="1/hour"),))
    assert plain.outcome_counters is not None
    assert plain.outcome_counters.trusts == ()


def test_what_a_verification_earns_can_be_changed() -> None:
    """In the policy's outcomes, as in a TOML file."""
    policy = Policy.from_toml('send = "/s"\nverify = "/v"\n[outcomes]\ngain = 2')
    assert policy.outcome_counters is not None
    trusts = policy.outcome_counters.trusts
    assert {(trust.by, trust.gain) for trust in trusts} == {("network", 2), ("site", 2)}


def test_nobody_earns_where_nobody_is_verified() -> None:
    """The default chain then gives no room, and asking for it is refused."""
    chain = Policy(send="/s", home=["GB"]).chain
    assert not [rule for rule in chain if rule.earned_by]
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", rules=(LIMIT,))
    assert error.value.path == "verify"


@pytest.mark.parametrize(
    ("make", "settings", "path"),
    [
        (Outcomes, {"gain": 0}, "outcomes.gain"),
        (Outcomes, {"share": 1.0}, "outcomes.share"),
        (Outcomes, {"seconds": 0}, "outcomes.seconds"),
        (Outcomes, {"known_days": 366}, "outcomes.known_days"),
        (RateLimit, {"by": "phone", "limits": "1/hour", "earned": 0}, "rules.rate_limit.earned"),
        (RateLimit, {"by": "phone", "limits": "1/hour", "earned": 256}, "rules.rate_limit.earned"),
        (
            RateLimit,
            {"by": "phone", "limits": "4000000000/day", "earned": 2},
            "rules.rate_limit.earned",
        ),
        (SlidingBan, {"strikes": "5/hour", "earned": 0}, "rules.sliding_ban.earned"),
        (
            PrefixPattern,
            {"blocks": {"100": "5/hour"}, "earned": 300},
            "rules.prefix_pattern.earned",
        ),
    ],
)
def test_nonsense_is_refused_at_construction(
    make: Any, settings: dict[str, Any], path: str
) -> None:
    """The error names the exact place."""
    with pytest.raises(PolicyError) as error:
        make(**settings)
    assert error.value.path == path
