"""Messages that are billed in several parts: every dollar is of the whole message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pumpguard import Guard, Policy, PolicyError
from pumpguard.intake.network import UnknownNetworks
from pumpguard.money.exposure import exposure
from tests.asgi import PHONE, arriving, request

PRICE = 0.05


async def price(parts: Any, body: dict[str, object]) -> float | None:
    """What the message of a request costs."""
    policy = Policy(send="/otp/send", parts=parts, price_overrides={"GB": PRICE})
    reader = Guard(policy, networks=UnknownNetworks()).reader
    body = {"phone": PHONE, **body}
    (attempt,), _ = await reader.read(request(), arriving(json.dumps(body).encode()), {})
    return attempt.price


async def test_every_message_has_as_many_parts_as_the_policy_says() -> None:
    assert await price(1, {}) == PRICE
    assert await price(3, {}) == pytest.approx(3 * PRICE)


async def test_a_function_says_it_of_each_request() -> None:
    """Such as by the language: Arabic texts take two where Latin ones take one."""

    def parts(fields: Any) -> int:
        return 2 if fields.json["locale"] == "ar" else 1

    assert await price(parts, {"locale": "en"}) == PRICE
    assert await price(parts, {"locale": "ar"}) == pytest.approx(2 * PRICE)


@pytest.mark.parametrize("said", [0, 11, None, 1.5])
async def test_a_function_that_says_nonsense_refuses_the_request(said: object) -> None:
    """It raises, and an exception while reading a request sends nothing (PG021)."""
    with pytest.raises(PolicyError, match="a whole number from 1 to 10"):
        await price(lambda _: said, {})


def test_a_worker_says_it_itself() -> None:
    guard = Guard(Policy(send="/s", price_overrides={"GB": PRICE}), networks=UnknownNetworks())
    assert guard.attempt(PHONE, parts=2).price == pytest.approx(2 * PRICE)


def test_the_printed_bound_is_of_whole_messages() -> None:
    """Where a function says it, of the dearest that it may name."""
    for parts, most in ((1, 1), (3, 3), (lambda _: 1, 10)):
        policy = Policy(send="/s", parts=parts, price_overrides={"GB": PRICE})
        (country,) = exposure(policy, countries=["GB"]).countries
        assert country.price == pytest.approx(most * PRICE)
