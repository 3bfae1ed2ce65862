"""A launch that is announced: what is as many times as wide meanwhile, and what is not."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import OverrideError, Policy
from pumpguard.counters import Credit, Distinct, Spend, Window
from pumpguard.counters.expected import Expected
from pumpguard.money.exposure import exposure
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.standing import LONGEST
from pumpguard.rules import Budget, RateLimit
from pumpguard.rules import Credit as Lines
from pumpguard.store.base import Store
from tests.rules.trying import Trying, numbers

MIKE: dict[str, Any] = {"author": "mike"}
PRICE = 0.25


@pytest.fixture
def app(store: Store) -> Trying:
    """Four messages an hour, and more in a day, over every store in turn."""
    budget = Budget(day=20 * PRICE, hour=4 * PRICE, reserved=0.0, challenge=1.0)
    return Trying(budget, store=store, settled=True)


async def sent(app: Trying, messages: int) -> int:
    """How many of so many messages to the United Kingdom are let through."""
    return sum([await app.allows(phone, price=PRICE) for phone in numbers(messages, app)])


async def test_what_is_announced_is_let_through_and_ends_by_itself(app: Trying) -> None:
    """From the next request on; afterwards the hour counts what was sent in it, as ever."""
    assert await sent(app, 5) == 4
    await app.guard.overrides.expect(3, seconds=1_800, country="GB", **MIKE)
    assert await sent(app, 10) == 8
    app.clock.advance(1_800)
    assert await sent(app, 1) == 0
    app.clock.advance(2_400)
    assert await sent(app, 10) == 4


async def test_the_days_budget_is_never_wider(app: Trying) -> None:
    """However much is expected."""
    await app.guard.overrides.expect(100, seconds=3_600, **MIKE)
    assert await sent(app, 30) == 20


async def test_once_as_much_ends_it(app: Trying) -> None:
    await app.guard.overrides.expect(3, seconds=3_600, country="GB", **MIKE)
    await app.guard.overrides.expect(1, country="GB", **MIKE)
    assert await sent(app, 10) == 4
    assert (await app.guard.overrides.show()).expectations == {}


async def test_another_country_has_the_hours_share_and_its_own_limits() -> None:
    """The share is everybody's: a launch that fills it must not lock others out."""
    country = RateLimit(name="country", by="country", limits="2/hour")
    app = Trying(Budget(day=600.0, hour=1.0, reserved=0.0, challenge=1.0), country, settled=True)
    await app.guard.overrides.expect(10, seconds=3_600, country="DE", **MIKE)
    german = [f"+491512345{n:04}" for n in range(30)]
    assert sum([await app.allows(phone, price=0.1) for phone in german]) == 20
    assert sum([await app.allows(phone, price=0.1) for phone in numbers(5, app)]) == 2


async def test_lines_of_credit_of_a_country_are_wider_and_those_of_blocks_are_not() -> None:
    """A launch makes a country busier, and no block of a thousand numbers."""
    lines = Lines(lines={"country": 1.0, "prefix:3": 0.5}, seconds=86_400)
    app = Trying(lines, settled=True)
    await app.guard.overrides.expect(10, seconds=3_600, **MIKE)
    spread = [f"+4474{n:04}0000" for n in range(60)]
    assert sum([await app.allows(phone, price=PRICE) for phone in spread]) == 40
    app.clock.advance(4 * 86_400)
    assert sum([await app.allows(phone, price=PRICE) for phone in numbers(5, app)]) == 2


async def test_a_finding_says_that_more_is_expected() -> None:
    """The limits that it shows are the usual ones."""
    app = Trying(Budget(day=2.0, hour=1.0, reserved=0.0, challenge=1.0), settled=True)
    await app.guard.overrides.expect(1.5, seconds=3_600, **MIKE)
    decisions = [await app.send(phone, price=PRICE) for phone in numbers(7, app)]
    (finding,) = [each for each in decisions[-1].findings if each.code == "BUDGET_SPENT"]
    assert (finding.evidence["limit"], finding.evidence["expected"]) == (1.0, 1.5)


@pytest.mark.parametrize(
    ("counter", "limit"),
    [
        (Spend("s", "everything", 100, 3_600), 500),
        (Spend("s", "everything", 100, 86_400), 100),
        (Spend("s", "country", 100, 3_600), 200),
        (Window("w", "everything", 100, 86_400), 500),
        (Window("w", "calling_code", 100, 60), 200),
        (Window("w", "phone", 100, 60), 100),
        (Window("w", "network+country", 100, 60), 100),
        (Credit("c", "country", 100, 60), 200),
        (Credit("c", "country+client_abroad", 100, 60), 200),
        (Credit("c", "prefix:3", 100, 60), 100),
        (Distinct("d", "country", 100, 60, "network"), 100),
    ],
)
def test_what_is_widened(counter: Any, limit: int) -> None:
    """By how much is expected to the country; of everything, by what is anywhere."""
    (wider,) = Expected(here=2.0, anywhere=5.0).widened([counter])
    assert (type(wider), wider.limit) == (type(counter), limit)


def test_a_share_for_known_numbers_is_widened_with_the_rest() -> None:
    for usual in (
        Spend("s", "everything", 100, 3_600, reserved=20),
        Window("w", "country", 100, 3_600, reserved=20),
    ):
        wider = Expected(2.0, 2.0).wider(usual)
        assert (wider.limit, wider.reserved) == (200, 40)


def test_the_bound_says_what_it_costs_meanwhile() -> None:
    """The hour's share so many times, and no more than the day's; other countries share in it."""
    policy = Policy(send="/s", rules=[Budget(day=60.0, hour=10.0)], refund_share=0.0)
    usual, meanwhile = exposure(policy), exposure(policy, expected={"DE": 3.0})
    assert (usual.hour.usd, usual.day.usd) == pytest.approx((10, 60))
    assert (meanwhile.hour.usd, meanwhile.day.usd) == pytest.approx((30, 60))
    assert exposure(policy, expected={"": 100.0}).hour.usd == pytest.approx(60)
    assert exposure(policy, expected={}).hour.usd == pytest.approx(10)


def test_a_window_that_is_counted_anew_may_let_through_both() -> None:
    """What was sent before it was wider, in a log of exact times, is not seen in slices."""
    policy = Policy(
        send="/s", rules=[RateLimit(by="country", limits="400/day")], price_overrides={"DE": 1.0}
    )
    meanwhile = exposure(policy, countries=["DE"], expected={"DE": 2.0})
    assert meanwhile.day.usd == pytest.approx(400 + 800)


async def test_it_is_written_down_and_read_again(app: Trying) -> None:
    """With who, when, why and until when."""
    written = await app.guard.overrides.expect(
        8.5, seconds=60, country="de", reason="television", **MIKE
    )
    read = OverrideDocument.parse(bytes(6) + written.encode())
    assert read.expectations == written.expectations
    said = read.to_json(app.clock())["expectations"]["DE"]
    assert (said["times"], said["author"], said["reason"]) == (8.5, "mike", "television")
    assert read.to_json(app.clock() + 60)["expectations"] == {}


@pytest.mark.parametrize(
    ("times", "more", "path"),
    [
        (0.5, {"seconds": 60}, "times"),
        (101, {"seconds": 60}, "times"),
        (float("nan"), {"seconds": 60}, "times"),
        (2, {}, "seconds"),
        (2, {"seconds": 0}, "seconds"),
        (2, {"seconds": LONGEST + 1}, "seconds"),
        (2, {"seconds": 60, "country": "ZZ"}, "country"),
        (2, {"seconds": 60, "reason": "x" * 201}, "reason"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    times: float, more: dict[str, Any], path: str
) -> None:
    """It has to end: what is usual from now on is a larger budget."""
    app = Trying()
    with pytest.raises(OverrideError) as caught:
        await app.guard.overrides.expect(times, **more, **MIKE)
    assert caught.value.path == path
