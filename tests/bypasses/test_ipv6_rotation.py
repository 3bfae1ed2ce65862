"""A host controls 2^64 addresses, a customer 2^80; they must not be as many clients."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpguard.rules import RateLimit
from pumpguard.store.base import Store
from tests.asgi import ask
from tests.otp_app import Outbox, guarded, one_per_minute, otp_app

SITE = RateLimit(name="site", by="site", limits="3/minute")


async def test_addresses_of_one_64_share_one_budget(store: Store) -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), store=store, rules=one_per_minute("network"))
    for i in range(50):
        await ask(app, client=(f"2001:db8:1:2:{i:x}::{i:x}", i))
    assert len(outbox.sent) == 1


async def test_a_zone_is_no_part_of_an_address() -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), rules=one_per_minute("network"))
    for i in range(10):
        await ask(app, client=(f"fe80::1%eth{i}", i))
    assert len(outbox.sent) == 1


async def test_networks_of_one_48_share_a_wider_budget() -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), rules=(*one_per_minute("network"), SITE))
    for i in range(20):
        await ask(app, client=(f"2001:db8:1:{i:x}::1", i))
    assert len(outbox.sent) == 3


@given(st.lists(st.integers(0, 2**64 - 1), min_size=2, max_size=5, unique=True))
@settings(deadline=None, max_examples=25)
async def test_whichever_addresses_of_a_64_are_used(hosts: list[int]) -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), rules=one_per_minute("network"))
    for host in hosts:
        groups = ":".join(f"{host >> shift & 0xFFFF:x}" for shift in (48, 32, 16, 0))
        await ask(app, client=(f"2001:db8:0:0:{groups}", 1))
    assert len(outbox.sent) == 1


async def test_neighbouring_networks_are_other_people() -> None:
    outbox = Outbox()
    app = guarded(otp_app(outbox), rules=one_per_minute("network"))
    for address in ("2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:2:2::1"):
        await ask(app, client=(address, 1))
    assert len(outbox.sent) == 3
