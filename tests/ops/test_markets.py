"""Countries that are not home and whose users verify, as ``pumpguard check`` shows them."""

from __future__ import annotations

from pumpguard import Guard, Policy
from pumpguard.ops.markets import markets
from pumpguard.store.base import Store
from pumpguard.testing import FakeClock, make_attempt

DAY = 86_400

POLICY = Policy(send="/s", home=["GB"], settled=True, daily_budget=600, price_overrides={"PL": 0.3})


async def verify(guard: Guard, clock: FakeClock, phone: str, people: int) -> None:
    """So many people of a country enter their codes within a day."""
    for n in range(people):
        at = clock.advance(60)
        number, address = phone.format(n), f"91.192.{n % 200}.7"
        attempt = make_attempt(number, address, country="PL", at=at, price=0.3)
        assert (await guard.assess(attempt)).allowed
        clock.advance(10 + 7 * n % 23)
        guard.verified(attempt.phone.e164)
        await guard.settled()


async def test_a_country_that_verifies_has_a_longer_line_and_is_shown(store: Store) -> None:
    """By a tenth of what was verified. At home there is nothing to earn."""
    clock = FakeClock()
    guard = Guard(POLICY, store, clock=clock)
    assert await markets(POLICY, store, clock()) == []
    await verify(guard, clock, "+48512{:03}781", 150)
    await verify(guard, clock, "+447400{:03}456", 150)
    (found,) = await markets(POLICY, store, clock())
    assert (found.country, found.usual) == ("PL", 1.5)
    assert 1.5 < found.line <= found.verified / 10 + 0.001
    assert f"PL: ${found.verified:.2f} verified on the best of 14 days, less what" in str(found)
    clock.advance(15 * DAY)
    assert await markets(POLICY, store, clock()) == []


async def test_a_chain_without_that_line_has_no_markets(store: Store) -> None:
    """Such as one that hears of no verifications."""
    assert await markets(Policy(send="/s"), store) == []
