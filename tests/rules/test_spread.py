"""One subject with too many faces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pumpguard import PolicyError
from pumpguard.rules import Spread
from pumpguard.testing import make_attempt
from tests.rules.trying import Trying


async def test_devices_of_an_address() -> None:
    """Two are let through, whoever they are, and those two go on."""
    app = Trying(Spread(by="network", of="device", limit=2))
    assert [await app.allows(device=d) for d in "abcab"] == [True, True, False, True, True]
    assert await app.allows(device="c", address="198.51.100.1")
    assert await app.allows()  # without a device, there is nothing to count


async def test_the_finding_says_of_what() -> None:
    app = Trying(Spread(by="session", of=("device", "country"), limit=1, action="block"))
    assert await app.allows(session="s", device="a")
    decision = await app.send("+33612345678", session="s", device="a")
    assert decision.finding is not None
    assert decision.finding.code == "SPREAD"
    assert decision.finding.subject == "s"
    assert decision.finding.evidence == {
        "by": "session", "of": "device+country", "used": 1, "limit": 1, "seconds": 86_400,
    }  # fmt: skip


async def test_systems_of_a_session() -> None:
    """An attacker who rotates residential addresses shows many systems in one session."""
    app = Trying(Spread(by="session", of="asn", limit=2))
    attempts = [make_attempt(session="s", at=app.clock()) for _ in range(3)]
    decisions = [
        await app.guard.assess(replace(a, client=replace(a.client, asn=f"AS{i}")))
        for i, a in enumerate(attempts)
    ]
    assert [decision.allowed for decision in decisions] == [True, True, False]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"limit": 0}, "rules.spread.limit"),
        ({"limit": 25}, "rules.spread.limit"),
        ({"seconds": 0}, "rules.spread.seconds"),
        ({"of": "the moon"}, "rules.spread.of"),
        ({"by": ()}, "rules.spread.by"),
        ({"action": "maim"}, "rules.spread.action"),
    ],
)
def test_nonsense_is_refused_at_construction(settings: Any, path: str) -> None:
    with pytest.raises(PolicyError) as error:
        Spread(**{"by": "network", "of": "device", "limit": 2, **settings})
    assert error.value.path == path


async def test_people_from_everywhere_share_the_addresses_of_a_relay() -> None:
    app = Trying(Spread(by="network", of="country", limit=1, except_relays=True))
    for phone in ("+447400123456", "+33612345678"):
        attempt = make_attempt(phone, at=app.clock())
        relay = replace(attempt, client=replace(attempt.client, kind="relay"))
        assert (await app.guard.assess(relay)).allowed
    assert await app.allows("+447400123456")
    assert not await app.allows("+33612345678")
