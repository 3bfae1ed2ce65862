"""rate_limit: any dimension, any mix of them, in the notation of ``limits``."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Action, PolicyError
from pumpguard.rules import RateLimit
from tests.rules.trying import Trying

ONE, OTHER = "+447400123456", "+33612345678"


async def test_a_phone_has_its_own_cooldown() -> None:
    """One a minute, to the second; another phone is not concerned."""
    app = Trying(RateLimit(by="phone", limits="1/minute"))
    assert await app.allows(ONE)
    refused = await app.send(ONE, after=59)
    assert refused.action is Action.THROTTLE
    assert refused.retry_after == 1
    assert await app.allows(OTHER)
    assert await app.allows(ONE, after=1)


async def test_all_limits_of_a_rule_bind() -> None:
    """A minute, an hour, a day: the one that stays full longest tells when to come back."""
    app = Trying(RateLimit(by="phone", limits="1/minute; 2/hour"))
    assert await app.allows(ONE)
    assert await app.allows(ONE, after=60)
    refused = await app.send(ONE, after=30)
    assert refused.retry_after == 3600 - 90
    assert refused.finding is not None
    assert refused.finding.evidence == {"by": "phone", "used": 2, "limit": 2, "seconds": 3600}


@pytest.mark.parametrize(
    ("by", "same", "different"),
    [
        ("phone", {"address": "81.2.69.1"}, {"phone": OTHER}),
        ("network", {"phone": OTHER}, {"address": "81.2.69.1"}),
        ("network", {"address": "2001:db8::1"}, {"address": "2001:db8:0:1::1"}),
        ("site", {"address": "2001:db8:0:9::1"}, {"address": "2001:db8:1::1"}),
        ("session", {"session": "s1", "phone": OTHER}, {"session": "s2"}),
        ("account", {"account": "s1", "phone": OTHER}, {"account": "s2"}),
        ("device", {"device": "s1", "phone": OTHER}, {"device": "s2"}),
        ("country", {"phone": "+447911999999"}, {"phone": OTHER}),
        ("calling_code", {"phone": "+447911999999"}, {"phone": OTHER}),
        ("client_country", {"country": "GB", "phone": OTHER}, {"country": "FR"}),
        ("prefix:3", {"phone": "+447400123999"}, {"phone": "+447400124000"}),
        ("everything", {"phone": OTHER, "address": "81.2.69.1"}, None),
        (("network", "country"), {"phone": "+447911999999"}, {"phone": OTHER}),
    ],
)
async def test_every_dimension_can_be_limited(
    by: Any, same: dict[str, Any], different: dict[str, Any] | None
) -> None:
    """What is the same on the dimension shares the limit; what differs has its own."""
    keys = ("session", "account", "device")
    first: dict[str, Any] = {"phone": ONE, "address": "81.2.69.142", "country": "GB"}
    first |= dict.fromkeys(keys, "s1")
    if "address" in same and ":" in same["address"]:
        first["address"] = same["address"]
    app = Trying(RateLimit(by=by, limits="1/hour"))
    assert await app.allows(**first)
    assert not await app.allows(**{**first, **same})
    if different is not None:
        assert await app.allows(**{**first, **different})


@pytest.mark.parametrize("by", ["session", "network", ("phone", "device")])
async def test_a_missing_value_is_no_shared_bucket(by: Any) -> None:
    """Requests without a session (or address) do not limit each other."""
    app = Trying(RateLimit(by=by, limits="1/hour"))
    for _ in range(5):
        assert await app.allows(ONE, address=None)


async def test_regions_restrict_and_exempt() -> None:
    """A limit for one country, and one for all but it."""
    only = Trying(RateLimit(by="network", limits="1/hour", regions=["GB"]))
    assert [await only.allows(OTHER) for _ in range(3)] == [True] * 3
    assert [await only.allows(ONE) for _ in range(2)] == [True, False]
    others = Trying(RateLimit(by="network", limits="1/hour", except_regions=["GB"]))
    assert [await others.allows(ONE) for _ in range(3)] == [True] * 3


async def test_a_challenge_yields_to_proof() -> None:
    """The same limit asks instead of refusing, if told to."""
    app = Trying(RateLimit(by="network", limits="1/hour", action="challenge"))
    assert await app.allows(ONE)
    assert (await app.send(OTHER)).action is Action.CHALLENGE
    proved = await app.send(OTHER, proved=True)
    assert proved.allowed
    assert proved.allowed_because == "proved"


async def test_monitored_it_only_records() -> None:
    """Findings are made and nobody is refused."""
    app = Trying(RateLimit(by="phone", limits="1/hour", mode="monitor"))
    await app.send(ONE)
    watched = await app.send(ONE)
    assert watched.allowed
    assert watched.allowed_because == "monitored"
    assert [finding.code for finding in watched.findings] == ["RATE_LIMIT"]


async def test_off_it_is_not_there() -> None:
    """A rule that is off is not even asked."""
    app = Trying(RateLimit(by="phone", limits="1/hour", mode="off"))
    for _ in range(3):
        assert (await app.send(ONE)).findings == ()


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"by": "phone", "limits": "often"}, "rules.rate_limit.limits"),
        ({"by": "phone", "limits": "0/minute"}, "rules.rate_limit.limits"),
        ({"by": "phone", "limits": "5/hour; 3/day"}, "rules.rate_limit.limits"),
        ({"by": "phone", "limits": "5/hour; 6/hour"}, "rules.rate_limit.limits"),
        ({"by": "phone", "limits": "60/minute; 3 per 60 second"}, "rules.rate_limit.limits"),
        ({"by": "shoe size", "limits": "1/hour"}, "rules.rate_limit.by"),
        ({"by": "prefix", "limits": "1/hour"}, "rules.rate_limit.by"),
        ({"by": "prefix:0", "limits": "1/hour"}, "rules.rate_limit.by"),
        ({"by": (), "limits": "1/hour"}, "rules.rate_limit.by"),
        ({"by": "phone", "limits": "1/hour", "action": "maim"}, "rules.rate_limit.action"),
        ({"by": "phone", "limits": "1/hour", "mode": "on"}, "rules.rate_limit.mode"),
        ({"by": "phone", "limits": 5}, "rules.rate_limit.limits"),
        ({"by": "phone", "limits": "1/hour", "regions": "GB"}, "rules.rate_limit.regions"),
        ({"by": "phone", "limits": "99999999999/day"}, "rules.rate_limit.limits"),
    ],
)
def test_nonsense_is_refused_at_construction(settings: dict[str, Any], path: str) -> None:
    """The error names the exact place."""
    with pytest.raises(PolicyError) as error:
        RateLimit(**settings)
    assert error.value.path == path
