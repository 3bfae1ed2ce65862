"""What people ask at the desk, and order: explaining charges nothing, what is lifted is gone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from pumpguard import Guard, Policy
from pumpguard.errors import OverrideError
from pumpguard.ops.events import Events, Stream
from pumpguard.ops.fleet import Fleet
from pumpguard.ops.fleet import desk as desks
from pumpguard.ops.fleet.desk import Desk, desk_of
from pumpguard.ops.fleet.today import rules_today
from pumpguard.ops.fleet.words import counted, lines, verdict
from pumpguard.overrides import sync
from pumpguard.rules import Number
from pumpguard.rules.credit import Credit
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.rules.sliding_ban import SlidingBan
from pumpguard.testing import SimulatedHuman
from tests.conftest import PATIENT

PHONE, OTHER, ADDRESS = "+447400123456", "+447400123999", "81.2.69.142"


@pytest.fixture(params=[("memory", 1), ("valkey", 1), ("valkey", 2)])
async def guard(name: str, valkey_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Guard]:
    """One message a day per number, and five minutes of ban for an address that asks again twice;
    over memory, and over a server with one shard and with several."""
    where, shards = request.param
    rules = [
        RateLimit(name="limit", by="phone", limits="1/day"),
        SlidingBan(name="ban", strikes=f"{2 * shards}/hour", after=["limit"], base=300, jitter=0),
    ]
    policy = Policy(send="/s", rules=rules, name=name, secret="a well kept secret", region="GB",
                    deadline=PATIENT, shards=shards)  # fmt: skip
    async with Guard(policy, "memory://" if where == "memory" else valkey_url) as guard:
        yield guard


@pytest.fixture
def desk(guard: Guard) -> Desk:
    found = desk_of(guard)
    assert found is not None
    return found


async def ask(guard: Guard, phone: str = PHONE, address: str = ADDRESS) -> str:
    """Ask for a message; what became of it."""
    return str((await guard.assess(guard.attempt(phone, address))).action)


async def test_explaining_leaves_nobody_looking_at_overrides(
    guard: Guard, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a guard does while some stand: each explanation would go on for ever."""
    monkeypatch.setattr(sync, "WATCHED", 0.0)
    await guard.overrides.posture("challenge_all", author="mike")
    attempt, reads = desk.attempt(PHONE, ADDRESS), list[bytes]()
    await desk.explain(attempt)
    monkeypatch.setattr(guard.store.overrides, "read_if_changed", reads.append)
    for _ in range(20):
        await asyncio.sleep(0)
    assert reads == []


async def test_explaining_charges_nothing(guard: Guard, desk: Desk) -> None:
    """However often; and it says what the next request then meets."""
    attempt = desk.attempt(PHONE, ADDRESS)
    before = await desk.explain(attempt)
    assert [await desk.explain(attempt) for _ in range(3)] == [before] * 3
    assert str(before.decision.action) == await ask(guard) == "allow"
    after = await desk.explain(desk.attempt(PHONE, ADDRESS))
    assert str(after.decision.action) == await ask(guard) == "throttle"
    (limit, _) = after.rules
    assert limit.finding is not None
    assert limit.finding.code == "RATE_LIMIT"
    assert lines(limit) == ["1 of 1 for this number in a day; free in a day"]
    assert verdict(after.decision) == "would be refused for now, for a day"


async def test_a_ban_is_found_by_address_and_lifted(guard: Guard, desk: Desk) -> None:
    """With its strikes, in this process and in every other."""
    fleet = Fleet(guard)
    assert [await ask(guard) for _ in range(3)] == ["allow", "throttle", "block"]
    assert await ask(guard, OTHER) == "block"
    await fleet.speak()
    story = await desk.story(address=ADDRESS)
    (ban,) = story.bans
    assert (ban.rule, ban.subject, ban.action) == ("ban", "81.2.69.•", "block")
    assert [each.id for each in await desk.bans("81.2.69 ban")] == [ban.id]
    assert await desk.bans("somebody else") == []
    lifted = await desk.lift(ban.id, author="mike", reason="a school")
    assert lifted is not None
    assert await desk.bans() == []
    assert (await desk.story(OTHER, ADDRESS)).bans == []
    assert str((await desk.explain(desk.attempt(OTHER, ADDRESS))).decision.action) == "allow"
    order = (await guard.overrides.show()).orders[0]
    assert (order.what, order.subject, order.author, order.reason) == (
        "lift", "ban 81.2.69.•", "mike", "a school",
    )  # fmt: skip


async def test_lifting_leaves_all_else_that_is_counted(guard: Guard, desk: Desk) -> None:
    fleet = Fleet(guard)
    for _ in range(3):
        await ask(guard)
    await fleet.speak()
    (ban,) = await desk.bans()
    await desk.lift(ban.id, author="mike")
    explained = await desk.explain(desk.attempt(PHONE, ADDRESS))
    assert str(explained.decision.action) == "throttle"
    assert [finding.rule for finding in explained.decision.findings] == ["limit"]


@pytest.mark.parametrize("id_", ["", "0", "0-abc-ban", "x-" + 20 * "0" + "-ban", "0-" + 20 * "0"])
async def test_what_is_no_ban_is_refused(desk: Desk, id_: str) -> None:
    with pytest.raises(OverrideError, match="ban"):
        await desk.lift(id_, author="mike")


async def test_a_story_names_the_lists_and_the_posture(guard: Guard, desk: Desk) -> None:
    await guard.overrides.deny("prefix", "+447400123", author="mike", reason="pumping")
    await guard.overrides.deny("number", PHONE, author="mike")
    await guard.overrides.deny("network", "81.2.69.0/24", author="anna")
    story = await desk.story(PHONE)
    assert {each.kind for each in story.listings} == {"prefix", "number"}
    assert [finding.code for finding in story.explanation.others] == ["LISTED"]
    assert "7400123456" not in story.shown
    assert [each.kind for each in (await desk.story(address=ADDRESS)).listings] == ["network"]


@pytest.mark.parametrize(
    ("number", "address", "path"),
    [("", "", "number"), ("nobody", "", "number"), (PHONE, "nowhere", "address")],
)
async def test_what_is_neither_a_number_nor_an_address_is_refused(
    desk: Desk, number: str, address: str, path: str
) -> None:
    with pytest.raises(OverrideError) as raised:
        await desk.story(number, address)
    assert raised.value.path == path


async def test_a_rule_only_monitors_by_order_until_that_ends(guard: Guard, desk: Desk) -> None:
    """In every process from its next question on; what it would have done is recorded."""
    fleet = Fleet(guard)
    assert [await ask(guard) for _ in range(2)] == ["allow", "throttle"]
    await desk.monitor("limit", 600, author="mike", reason="too strict?")
    decision = await guard.assess(guard.attempt(PHONE, ADDRESS))
    assert decision.allowed
    assert [(finding.rule, finding.mode) for finding in decision.findings] == [("limit", "monitor")]
    await fleet.speak()
    limit, _ = await rules_today(desk)
    assert (limit.mode, limit.refused, limit.alone, limit.monitored) == ("monitor", 1, 1, 1)
    assert (limit.author, limit.reason) == ("mike", "too strict?")
    await desk.enforce("limit", author="mike")
    assert await ask(guard) == "block"  # its second strike
    with pytest.raises(OverrideError, match="by order"):
        await desk.enforce("limit", author="mike")


@pytest.mark.parametrize(("rule", "seconds"), [("none", 60), ("limit", None), ("limit", 1e9)])
async def test_such_an_order_names_a_rule_and_an_end(
    desk: Desk, rule: str, seconds: float | None
) -> None:
    with pytest.raises(OverrideError):
        await desk.monitor(rule, seconds, author="mike", reason="")


async def test_who_was_refused_and_verified_later_speaks_against_the_rule(
    valkey_url: str, name: str
) -> None:
    limit = RateLimit(name="limit", by="phone", limits="1/hour")
    rules = [limit, Credit(name="credit", lines={"country": 9})]
    policy = Policy(send="/s", settled=True, rules=rules, name=name, deadline=PATIENT)
    async with Guard(policy, valkey_url, challenge=SimulatedHuman()) as guard:
        fleet, desk = Fleet(guard), desk_of(guard)
        assert desk is not None
        for phone in (PHONE, PHONE, OTHER, OTHER):
            await ask(guard, phone)
        await fleet.speak()
        guard.verified(PHONE)
        await guard.settled()
        await fleet.speak()
        limited = (await rules_today(desk))[0]
        assert (limited.refused, limited.sampled, limited.verified) == (2, 2, 1)
        assert limited.verified_later == 0.5


async def test_how_much_of_the_budgets_is_spent(valkey_url: str, name: str) -> None:
    policy = Policy(send="/s", home=["GB"], daily_budget=600, name=name, deadline=PATIENT)
    async with Guard(policy, valkey_url) as guard:
        await ask(guard)
        desk = desk_of(guard)
        assert desk is not None
        budgets = [counted(*each) or "" for each in await desk.spends()]
        assert [re.sub(r"^\S+ of |, \S+ left$", "", line) for line in budgets] == [
            "$100.00 for everything in an hour",
            "$600.00 for everything in a day",
            "$12,000.00 for everything in 30 days",
        ]
        assert re.fullmatch(r"\$0\.\d\d of \$600\.00 .*, \$599\.\d\d left", budgets[1])
        assert all(not line.startswith("$0.00 ") for line in budgets)


async def test_a_policy_without_counters_is_explained(valkey_url: str, name: str) -> None:
    """The store has nothing to say to it."""
    policy = Policy(send="/s", rules=[Number(name="number")], name=name, deadline=PATIENT)
    async with Guard(policy, valkey_url) as guard:
        desk = desk_of(guard)
        assert desk is not None
        said = await desk.explain(desk.attempt("+441111111111", ADDRESS))
        assert str(said.decision.action) == "block"
        assert said.rules[0].counters == ()


async def test_a_story_has_so_many_events(
    valkey_url: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest of that number."""
    monkeypatch.setattr(desks, "EVENTS", 3)
    rules = [RateLimit(name="limit", by="phone", limits="1/day")]
    policy = Policy(send="/s", rules=rules, name=name, secret="a well kept secret",
                    deadline=PATIENT)  # fmt: skip
    async with Guard(policy, valkey_url) as guard:
        Events(guard, Stream(guard))
        for phone in (OTHER, *[PHONE] * 6, OTHER):
            await ask(guard, phone)
        await guard.settled()
        desk = desk_of(guard)
        assert desk is not None
        await _written(desk, 8)
        events = (await desk.story(PHONE)).events
    assert [each["event"]["action"] for each in events] == ["throttle"] * 3


async def _written(desk: Desk, many: int) -> None:
    async with asyncio.timeout(PATIENT):
        while len(await desk.store.stream.last(many)) < many:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
