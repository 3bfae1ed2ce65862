"""The simple defences do what their names say: they are fair opponents."""

from __future__ import annotations

import pytest

from attack_harness.actors import Call
from attack_harness.benchmark.defences import DEFENCES
from attack_harness.benchmark.defences.country_cap import CountryCap, cap
from attack_harness.benchmark.defences.limits import Checklist, FixedPrefix, PerAddress
from attack_harness.targets import AsgiApp, InProcess

from ..fake_app import FakeApp


async def sent(app: AsgiApp, *asked: tuple[str, str, float]) -> list[bool]:
    """Whether each request, as (phone, address, time), was let through."""
    found = []
    async with InProcess(app) as target:
        for phone, address, at in asked:
            reply = await target.call(Call("POST", "/otp/send", {"phone": phone}, address), at)
            found.append(reply.sent)
    return found


def number(n: int) -> str:
    return f"+4474001{n:05d}"


async def test_fifteen_an_hour_and_address() -> None:
    asked = [(number(n), "192.0.2.1", float(n)) for n in range(17)]
    late = (number(99), "192.0.2.1", 3_601.0)
    found = await sent(PerAddress(FakeApp()), *asked, (number(50), "192.0.2.2", 17.0), late)
    assert found == [True] * 15 + [False] * 2 + [True, True]


async def test_the_checklist_counts_every_spelling_of_a_number() -> None:
    times = (0.0, 30.0, 61.0, 130.0, 200.0)
    spelt = (
        "+447911123456",
        "0044 7911 123456",
        "+44 7911 123456",
        "+447911123456",
        "+447911123456",
    )
    asked = [
        (phone, f"192.0.2.{n}", at) for n, (phone, at) in enumerate(zip(spelt, times, strict=True))
    ]
    assert await sent(Checklist(FakeApp()), *asked) == [True, False, True, True, False]


async def test_a_refusal_says_when_to_come_back() -> None:
    async with InProcess(Checklist(FakeApp())) as target:
        ask = Call("POST", "/otp/send", {"phone": number(1)}, "192.0.2.1")
        await target.call(ask, 0.0)
        reply = await target.call(ask, 20.0)
    assert (reply.status, reply.retry_after) == (429, 41.0)


async def test_ten_a_day_per_thousand_numbers() -> None:
    asked = [(f"+44791112{n:04d}", f"192.0.2.{n}", float(n)) for n in range(12)]
    assert await sent(FixedPrefix(FakeApp()), *asked) == [True] * 10 + [False] * 2


async def test_a_country_has_its_hour_and_its_day() -> None:
    each = cap("AZ", 1_000) // 6
    asked = [(f"+99450{n:07d}", "192.0.2.1", float(n)) for n in range(each + 1)]
    home = [(number(n), "192.0.2.1", 100.0) for n in range(60)]
    found = await sent(CountryCap(FakeApp(), 1_000), *asked, *home)
    assert found == [True] * each + [False] + [True] * 60


def test_caps_rise_with_what_is_usual() -> None:
    assert (cap("AZ", 100), cap("TV", 100), cap("IN", 100)) == (50, 100, 100)
    assert cap("BD", 20_000) > 50
    assert cap("IN", 20_000) > 100


async def test_what_is_no_request_for_a_message_passes() -> None:
    async with InProcess(PerAddress(FakeApp())) as target:
        assert (await target.call(Call("GET", "/otp/billing"), 0.0)).status == 200
        assert (
            await target.call(Call("POST", "/otp/send", {"phone": "5"}, "x"), 0.0)
        ).status == 202


@pytest.mark.parametrize("name", [n for n, d in DEFENCES.items() if d.around])
async def test_every_defence_can_be_put_in_front_of_an_app(name: str) -> None:
    around = DEFENCES[name].around
    assert around is not None
    assert await sent(around(FakeApp(), 100), (number(1), "192.0.2.1", 0.0)) == [True]
