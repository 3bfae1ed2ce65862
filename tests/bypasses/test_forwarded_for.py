"""Lying about one's address must not buy a fresh budget, nor spend somebody else's."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.asgi import ask
from tests.otp_app import Outbox, guarded, one_per_minute, otp_app

PROXY = ("10.0.0.1", 1)
ATTACKER = "203.0.113.9"


async def messages_for(
    headers: Sequence[Sequence[tuple[str, str]]],
    peer: tuple[str, int],
    proxies: tuple[str, ...] = ("10.0.0.0/8",),
) -> int:
    """How many messages these requests get out of a limit of one per address."""
    outbox = Outbox()
    app = guarded(otp_app(outbox), rules=one_per_minute("network"), proxies=proxies)
    for lines in headers:
        await ask(app, client=peer, headers=lines)
    return len(outbox.sent)


async def test_without_a_proxy_the_header_is_noise() -> None:
    lies = [[("x-forwarded-for", f"1.1.1.{i}")] for i in range(20)]
    assert await messages_for(lies, (ATTACKER, 1), proxies=()) == 1
    assert await messages_for(lies, (ATTACKER, 1)) == 1


@pytest.mark.parametrize(
    "lie",
    ["1.1.1.{}", "10.0.0.{}", "junk{}", "::ffff:1.1.1.{}", "2001:db8:{}::1", "{},", ",", '"{}"'],
)
async def test_behind_a_proxy_what_stands_left_of_its_word_is_noise(lie: str) -> None:
    lies = [[("x-forwarded-for", f"{lie.format(i)}, {ATTACKER}")] for i in range(20)]
    assert await messages_for(lies, PROXY) == 1


async def test_a_header_line_of_ones_own_is_noise() -> None:
    lies = [[("x-forwarded-for", f"1.1.1.{i}"), ("x-forwarded-for", ATTACKER)] for i in range(20)]
    assert await messages_for(lies, PROXY) == 1


async def test_other_headers_are_noise() -> None:
    names = ("x-real-ip", "forwarded", "cf-connecting-ip", "true-client-ip", "x-client-ip")
    lies = [[(name, f"1.1.1.{i}"), ("x-forwarded-for", ATTACKER)] for i, name in enumerate(names)]
    assert await messages_for(lies, PROXY) == 1


@pytest.mark.parametrize(
    "spelling",
    [
        "{}:4711",
        "[{}]",
        "::ffff:{}",
        "[::ffff:{}]:80",
        "::ffff:{}%eth0",
        '"{}"',
        "2002:cb00:7109::%x",
        "64:ff9b::{}",
    ],
)
async def test_one_host_has_one_budget_however_its_address_is_written(spelling: str) -> None:
    headers = [[("x-forwarded-for", text)] for text in (ATTACKER, spelling.format(ATTACKER))]
    assert await messages_for(headers, PROXY) == 1


async def test_junk_cannot_put_everybody_into_one_budget() -> None:
    """Real clients behind the same proxy keep their own budgets beside any amount of junk."""
    junk = [[("x-forwarded-for", f"junk{i}")] for i in range(20)]
    honest = [[("x-forwarded-for", f"198.51.100.{i}")] for i in range(5)]
    assert await messages_for([*junk, *honest], PROXY) == 1 + 5
