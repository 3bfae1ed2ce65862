"""Several policies in one app: a guard each, one connection, one console, and what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from pumpguard import Action, Guard, Policy, PolicyError
from pumpguard.intake.network import UnknownNetworks
from pumpguard.ops.console import Console
from pumpguard.ops.fleet import Fleet
from pumpguard.rules import Budget, RateLimit, SlidingBan
from pumpguard.testing import make_attempt
from tests.conftest import PATIENT

PHONE, OTHER = "+447400123456", "+447400123457"


def policy(use: str, name: str, **settings: Any) -> Policy:
    """One use: two messages an hour to a number, two dollars an hour, a ban after two refusals."""
    rules = [
        RateLimit(name="limit", by="phone", limits="2/hour"),
        Budget(day=5.0, hour=2.0, reserved=0.0),
        SlidingBan(name="ban", strikes="2/hour", by="network", after=["limit"], base=600),
    ]
    settings = {
        "send": f"/{use}", "rules": rules, "settled": True, "price_overrides": {"GB": 0.5},
        "deadline": PATIENT, "shares": ["budget", "ban"], **settings,
    }  # fmt: skip
    return Policy(use=use, name=name, **settings)


class Uses:
    """Sign-up and login."""

    def __init__(self, store: str, name: str, **settings: Any) -> None:
        self.sign_up = Guard(policy("sign-up", name, **settings), store, networks=UnknownNetworks())
        # The same store: one connection.
        login = policy("login", name, **settings)
        self.login = Guard(login, self.sign_up.store, networks=UnknownNetworks())


@pytest.fixture(params=["memory", "valkey"])
async def uses(request: pytest.FixtureRequest, name: str) -> AsyncIterator[Uses]:
    memory = request.param == "memory"
    made = Uses("memory://" if memory else request.getfixturevalue("valkey_url"), name)
    yield made
    await made.login.aclose()
    await made.sign_up.aclose()


async def says(
    guard: Guard, phone: str = PHONE, address: str = "81.2.69.142", price: float = 0.01
) -> list[str]:
    decision = await guard.assess(make_attempt(phone, address, price=price))
    await guard.settled()
    return [finding.rule for finding in decision.findings]


async def test_each_counts_for_itself(uses: Uses) -> None:
    """A number's messages at sign-up are none at login; a rule says whose it is."""
    assert [await says(uses.sign_up) for _ in range(3)] == [[], [], ["sign-up.limit"]]
    assert [await says(uses.login, OTHER) for _ in range(2)] == [[], []]
    assert "login.limit" in await says(uses.login, OTHER)


async def test_a_budget_is_shared(uses: Uses) -> None:
    """Two dollars an hour for both: it is full after four messages, wherever they were sent."""
    numbers = [f"+44740012345{n}" for n in range(6)]
    guards = (uses.sign_up, uses.login) * 3
    said = [
        await says(guard, number, price=0.5) for guard, number in zip(guards, numbers, strict=True)
    ]
    assert said == [[], [], [], [], ["budget"], ["budget"]]


async def test_a_ban_is_shared(uses: Uses) -> None:
    """Strikes of both add up, and whom one has banned the other refuses."""
    await says(uses.sign_up)
    await says(uses.sign_up)
    await says(uses.login)
    await says(uses.login)
    assert await says(uses.sign_up) == ["sign-up.limit"]
    assert "ban" in await says(uses.login)
    assert await says(uses.sign_up, OTHER) == ["ban"]
    assert await says(uses.sign_up, OTHER, "81.2.69.143") == []


async def test_who_verified_is_known_to_all(uses: Uses) -> None:
    """And what was not sent is given back to the use that it was sent by."""
    first = await uses.sign_up.assess(make_attempt(PHONE, price=0.5))
    uses.sign_up.verified(PHONE)
    await uses.sign_up.settled()
    known = await uses.login.assess(make_attempt(PHONE, price=0.5))
    assert (first.known, known.known) == (False, True)
    uses.login.settle(known, "not_sent")
    await uses.login.settled()
    assert [await says(uses.login) for _ in range(2)] == [[], []]


async def test_one_posture_and_one_console_for_all(uses: Uses) -> None:
    """What is set by one holds for the other; the page shows the decisions of both."""
    console = Console(uses.sign_up, token="a token of twenty-four characters")
    fleet = Fleet(uses.login)
    await says(uses.login)
    await says(uses.sign_up, OTHER)
    await fleet.speak()
    seen = (await console.view.values())["seen"]
    assert len([*seen.sent, *seen.refused]) == seen.day.requests == 2
    await uses.sign_up.overrides.posture("closed", author="mike")
    decision = await uses.login.assess(make_attempt(OTHER, price=0.5))
    assert decision.action is Action.THROTTLE


async def test_nothing_is_said_about_uses(uses: Uses, caplog: pytest.LogCaptureFixture) -> None:
    """Two guards of one name are meant here."""
    await says(uses.sign_up)
    await says(uses.login)
    assert "PG078" not in caplog.text
    assert "PG008" not in caplog.text


def test_what_is_shared_has_to_be_there(name: str) -> None:
    """By its name, and in a policy for one use."""
    with pytest.raises(PolicyError, match=r"shares\.0"):
        policy("login", name, shares=["budgets"])
    with pytest.raises(PolicyError, match=r"shares\.0"):
        policy("", name, send="/login")
    assert [rule.name for rule in policy("login", name).chain] == ["login.limit", "budget", "ban"]


def test_the_default_chain_can_be_for_one_use(name: str) -> None:
    """With every rule that names others."""
    made = Policy(send="/login", verify="/verify", home=["GB"], name=name, use="login",
                  shares=["budget", "shadow_ban", "burst_ban"])  # fmt: skip
    apart = {rule.name for rule in made.chain if rule.name.startswith("login.")}
    assert {rule.name for rule in made.chain} - apart == {"budget", "shadow_ban", "burst_ban"}
