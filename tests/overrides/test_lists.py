"""Lists made by hand: who is always let through, who never is, and what is kept of them."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from pumpguard import Action, Guard, OverrideError, Policy, StoreError
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import MAX_LISTINGS, OverrideDocument
from pumpguard.overrides.lists import Listing, keyed_hash
from pumpguard.rules import Budget, GeoMismatch, Number, RateLimit, SlidingBan
from pumpguard.store.base import Store
from pumpguard.store.overrides import VERSION_BYTES, MemoryOverrides
from pumpguard.testing import make_attempt
from tests.rules.trying import Trying

LIMIT = RateLimit(by="phone", limits="1/hour")
BY: dict[str, Any] = {"author": "mike", "reason": "ticket 12"}
PHONE = "+447400123456"
FIVE_CENTS: dict[str, Any] = {"price": 0.05}
EVERY_KIND = [
    ("number", "07400 123456"),
    ("prefix", "+447400"),
    ("network", "81.2.69.0/24"),
    ("network", "81.2.69.142"),
    ("country", "gb"),
    ("account", "alice@example.com"),
]


def trying(store: Store | str, *rules: Any, **policy: Any) -> Trying:
    return Trying(*(rules or (LIMIT,)), store=store, **{"region": "GB", **policy})


@pytest.mark.parametrize(("kind", "value"), EVERY_KIND)
async def test_every_kind_allows_and_denies(kind: Any, value: str) -> None:
    """By the number in any spelling, its first digits, the address, the country, the account."""
    app = trying("memory://")
    alice: dict[str, Any] = {"account": "alice@example.com"}
    await app.guard.overrides.deny(kind, value, **BY)
    decision = await app.send(**alice)
    assert decision.action is Action.BLOCK
    assert [(f.rule, f.code) for f in decision.findings] == [("lists", "LISTED")]
    await app.guard.overrides.allow(kind, value, **BY)  # in place of the other
    assert [await app.allows(**alice) for _ in range(3)] == [True] * 3
    await app.guard.overrides.remove(kind, value)
    assert not await app.allows(**alice)
    assert await app.allows("+33612345678", "2001:db8::1", account="bob")


async def test_an_ipv6_network_is_compared_in_full() -> None:
    """And no small one is taken for an IPv4 one."""
    app = trying("memory://", RateLimit(by="phone", limits="9/hour"))
    await app.guard.overrides.deny("network", "2001:db8::/32", **BY)
    await app.guard.overrides.deny("network", "::/64", **BY)
    assert not await app.allows(PHONE, "2001:db8:1::5")
    assert not await app.allows(PHONE, "::5")
    assert await app.allows(PHONE, "2001:db9::5")
    assert await app.allows(PHONE, "0.0.0.5")
    assert await app.allows(PHONE, None)


async def test_the_allowed_are_refused_by_no_rule(store: Store) -> None:
    """Neither for what the request says, nor by limits, bans and scores; all is still recorded."""
    ban = SlidingBan(strikes="2/hour")
    app = trying(store, Number(), GeoMismatch(), LIMIT, ban, risk={"on_high": "block"})
    await app.guard.overrides.allow("number", PHONE, **BY)
    decisions = [await app.send(country="FR") for _ in range(4)]
    assert all(decision.allowed for decision in decisions)
    assert {decision.allowed_because for decision in decisions} == {"listed"}
    codes = {finding.code for finding in decisions[-1].findings}
    assert codes == {"GEO_MISMATCH", "RATE_LIMIT", "BANNED", "RISK_HIGH"}
    assert not decisions[-1].attempt.proved
    await app.guard.overrides.remove("number", PHONE)
    assert (await app.send()).finding is not None  # what they did was charged like anybody's


async def test_budgets_hold_the_allowed_too_unless_they_spend_freely(store: Store) -> None:
    """At the whole cap: nobody asks them for proof before."""
    budget = Budget(day=3.0, hour=0.5, reserved=0.0)  # ten messages
    app = trying(store, budget)
    await app.guard.overrides.allow("number", PHONE, **BY)
    decisions = [await app.send(**FIVE_CENTS) for _ in range(11)]
    assert [decision.allowed for decision in decisions] == [True] * 10 + [False]
    assert decisions[-1].action is Action.THROTTLE
    await app.guard.overrides.allow("number", PHONE, spends_freely=True, **BY)
    decision = await app.send(**FIVE_CENTS)
    assert decision.allowed
    assert "BUDGET_SPENT" in {finding.code for finding in decision.findings}
    assert not await app.allows("+447400999999", **FIVE_CENTS)


async def test_what_the_allowed_send_is_charged_to_everybodys_budget(store: Store) -> None:
    """As far as there is room."""
    app = trying(store, Budget(day=3.0, hour=0.5, reserved=0.0, challenge=1.0))
    await app.guard.overrides.allow("number", PHONE, spends_freely=True, **BY)
    assert [await app.allows(**FIVE_CENTS) for _ in range(6)] == [True] * 6
    others = [await app.allows(f"+44740099999{n}", **FIVE_CENTS) for n in range(5)]
    assert others == [True] * 4 + [False]


async def test_allowing_wins_over_denying() -> None:
    """The number of a customer in a country, or behind an address, that is denied."""
    app = trying("memory://")
    await app.guard.overrides.deny("country", "GB", **BY)
    await app.guard.overrides.deny("network", "81.2.69.142", **BY)
    await app.guard.overrides.allow("number", PHONE, **BY)
    assert await app.allows()
    assert not await app.allows("+447400999999")


async def test_known_only_and_challenge_all_do_not_concern_the_allowed() -> None:
    """Only ``closed`` does; and ``observe`` lets even the denied through, and says so."""
    app = trying("memory://", settled=True)
    await app.guard.overrides.allow("number", PHONE, **BY)
    await app.guard.overrides.deny("prefix", "+4475", **BY)
    for posture in ("challenge_all", "known_only"):
        await app.guard.overrides.posture(posture, author="mike")
        assert await app.allows()
    await app.guard.overrides.posture("closed", author="mike")
    assert not await app.allows()
    await app.guard.overrides.posture("observe", author="mike")
    denied = await app.send("+447500123456")
    assert denied.allowed
    assert [str(finding.mode) for finding in denied.findings] == ["monitor"]


async def test_a_listing_expires(store: Store) -> None:
    """By itself; it is gone from the document with the next writing."""
    app = trying(store)
    await app.guard.overrides.deny("number", PHONE, seconds=60, **BY)
    assert not await app.allows(after=59)
    assert await app.allows(after=1)
    assert (await app.guard.overrides.show()).listings == ()


async def test_no_number_and_no_account_can_be_read_in_redis(valkey_url: str, name: str) -> None:
    """Keyed hashes, and what is shown of them; who wrote it, when, why."""
    policy = Policy(send="/s", rules=[LIMIT], name=name, secret="a well kept secret", deadline=10)
    async with Guard(policy, valkey_url) as guard:
        await guard.overrides.allow("number", PHONE, **BY)
        await guard.overrides.deny("account", "alice@example.com", **BY)
        assert (await guard.assess(make_attempt())).allowed_because == "listed"
        listings = (await guard.overrides.show()).listings
    with Redis.from_url(valkey_url) as server:
        stored = server.get(f"pg1:{{{name}}}:overrides:text")
    assert b"7400123456" not in stored
    assert b"alice@" not in stored
    assert [each.shown for each in listings] == ["+447400123•••", "al•••"]
    assert {(each.author, each.reason) for each in listings} == {("mike", "ticket 12")}
    async with Guard(Policy(send="/s", rules=[LIMIT], name=name, deadline=10), valkey_url) as other:
        assert (await other.assess(make_attempt())).allowed_because is None  # another secret


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("number", "12", "number: expected a telephone number"),
        ("prefix", "4474", "prefix: expected '+' and the first digits"),
        ("network", "81.2.69.1/24", "network: expected an address or a CIDR"),
        ("country", "UK", "country: expected an ISO 3166 region"),
        ("account", "", "account: expected an account"),
        ("city", "Leeds", "kind: expected one of number, prefix, network, country, account"),
    ],
)
async def test_what_names_nobody_is_refused(kind: Any, value: str, said: str) -> None:
    """With what would have been right."""
    app = trying("memory://")
    with pytest.raises(OverrideError) as error:
        await app.guard.overrides.deny(kind, value, **BY)
    assert str(error.value).startswith(said)
    assert PHONE not in str(error.value)


async def test_who_is_not_listed_cannot_be_removed() -> None:
    """It may be a slip of the pen; the number stays unsaid."""
    with pytest.raises(
        OverrideError, match=r"number: expected one that is listed, got '\+447400123•"
    ):
        await trying("memory://").guard.overrides.remove("number", PHONE)


def test_a_list_made_by_hand_is_no_block_list() -> None:
    """Every process holds all of it."""
    listed = [
        Listing(verdict="deny", kind="prefix", value=f"+{n}", shown="", author="a", at=0.0)
        for n in range(MAX_LISTINGS + 1)
    ]
    document = OverrideDocument(listings=listed[:MAX_LISTINGS])
    assert len(document.with_listing(listed[0]).listings) == MAX_LISTINGS
    with pytest.raises(OverrideError, match="listings: expected at most 1000"):
        document.with_listing(listed[MAX_LISTINGS])


class Busy(MemoryOverrides):
    """Overrides that somebody else always writes first, for as long as ``others`` is above 0."""

    others = 0

    async def write(self, replaced: bytes, text: bytes) -> bytes | None:
        self.others -= 1
        if self.others >= 0:
            others = self._document[VERSION_BYTES:] or OverrideDocument().encode()
            await super().write(self.version, others)
        return await super().write(replaced, text)


async def test_whoever_is_too_late_reads_again_and_gives_up_after_ten_times() -> None:
    """Nothing that others wrote meanwhile is lost, and nothing waits for ever."""
    busy = Busy()
    admin = OverrideAdmin(busy, keyed_hash(""))
    busy.others = 9
    assert len((await admin.deny("country", "GB", **BY)).listings) == 1
    busy.others = 10
    with pytest.raises(StoreError, match="nothing was written"):
        await admin.remove("country", "GB")
    assert [each.value for each in (await admin.show()).listings] == ["GB"]
