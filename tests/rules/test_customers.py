"""A customer before the default chain: what strangers do with their number costs them no code."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Decision, Guard, Policy
from pumpguard.intake.network import UnknownNetworks
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt

PHONE, HOME = "+447400123456", "81.2.69.142"


class App:
    """A guard with the default chain, whose customer has verified once from home."""

    def __init__(self, **policy: Any) -> None:
        self.clock = FakeClock()
        settings = {"settled": True, "home": ["GB"], "daily_budget": 600.0, **policy}
        self.guard = Guard(
            Policy(send="/send", **settings),
            clock=self.clock,
            challenge=SimulatedHuman(),
            networks=UnknownNetworks(),
        )

    async def ask(self, address: str = HOME, phone: str = PHONE, **facts: Any) -> Decision:
        attempt = make_attempt(phone, address, at=self.clock.now, price=0.05, **facts)
        return await self.guard.assess(attempt)

    async def signs_in(self, address: str = HOME, **facts: Any) -> bool:
        """They ask for a code, and enter it after twenty seconds if it comes."""
        decision = await self.ask(address, **facts)
        self.clock.advance(20)
        if decision.allowed:
            self.guard.verified(PHONE)
            await self.guard.settled()
        return decision.allowed

    async def stranger_sends(self, most: int = 20, **facts: Any) -> int:
        """Somebody else has the number texted from ever new addresses, as often as he is let."""
        sent = 0
        for n in range(most):
            self.clock.advance(1_200)
            sent += (await self.ask(f"198.51.100.{n}", **facts)).allowed
        return sent


@pytest.mark.parametrize("times", [2, 3, 12])
async def test_signing_in_with_codes_every_day_is_no_attack(times: int) -> None:
    """For two weeks; the second of 28 and the tenth of 42 once were the last."""
    app = App()
    for _ in range(14 * times):
        assert await app.signs_in()
        app.clock.advance(86_400 / times - 20)


async def test_what_nobody_verifies_is_still_held_to_ten_a_week() -> None:
    """Five a day, for whoever has not verified."""
    app = App()
    sent = 0
    for _ in range(7):
        sent += await app.stranger_sends(72)
    assert sent == 10


async def test_a_stranger_does_not_use_up_what_a_customer_has() -> None:
    """At home they sign in as always; from elsewhere strangers have had all that anybody has."""
    app = App()
    assert await app.signs_in()
    for _ in range(5):
        await app.stranger_sends(72, proved=True)
        assert await app.signs_in()
    assert not (await app.ask("203.0.113.5", proved=True)).allowed


async def test_at_an_address_whose_users_verify_proof_makes_a_customer_of_a_known_number() -> None:
    app, office = App(), "203.0.113.9"
    assert await app.signs_in()
    for n in range(40):
        phone = f"+447{400_000_000 + n * 1_234_567}"
        assert (await app.ask(office, phone, proved=True)).allowed
        app.clock.advance(60 + 7 * (n % 5))
        app.guard.verified(phone)
        await app.guard.settled()
    await app.stranger_sends(300, proved=True)
    assert not (await app.ask(office)).allowed
    assert (await app.ask(office, proved=True)).allowed


async def test_an_account_is_known_again_from_wherever_it_asks() -> None:
    """Where the policy trusts accounts."""
    app = App(account="json:user", outcomes={"trusts": ["account"]})
    assert await app.signs_in(account="anna")
    await app.stranger_sends(300, account="mallory")
    assert not (await app.ask("203.0.113.5")).allowed
    assert await app.signs_in("203.0.113.6", account="anna")
