"""What all senders do alike: a deadline, no retry, and what `pumpguard.sender` makes of errors."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import httpx
import pytest

from pumpguard import Decision, Guard, IntakeError, Policy, PolicyError, sender
from pumpguard.errors import MessageNotSent
from pumpguard.rules import RateLimit
from pumpguard.senders import NotSent, ProviderAway, SendUnknown, Telnyx, Twilio
from tests.senders.provider import Provider

PHONE = "+447400123456"
TAKEN = {"sid": "SM" + "1" * 32}


def twilio(provider: Provider, **settings: Any) -> Twilio:
    """A sender that asks this one."""
    return Twilio("AC1", "tok", from_="+15005550006", base=provider.origin, **settings)


async def test_the_deadline_is_for_the_whole_of_it() -> None:
    """What is not answered in time may have been sent, and is not sent again."""
    async with Provider(201, TAKEN, delay=0.8) as provider:
        asking = twilio(provider, deadline=0.4)
        with pytest.raises(SendUnknown) as raised:
            await asking(PHONE, "hello")
        assert isinstance(raised.value, TimeoutError)
        await asking.aclose()
    assert len(provider.lines) <= 1  # on a busy machine it may not even get there


async def test_a_connection_that_breaks_is_unclear() -> None:
    """The request was there already; only without a connection nothing was sent."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.append(1)
        writer.close()

    asked: list[int] = []
    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        asking = Twilio("AC1", "t", from_="+15005550006", base=f"http://127.0.0.1:{port}")
        with pytest.raises(SendUnknown):
            await asking(PHONE, "hello")
    assert asked == [1]
    with pytest.raises(ProviderAway) as raised:
        await asking(PHONE, "hello")
    assert isinstance(raised.value, OSError)
    await asking.aclose()


async def test_a_client_of_the_apps() -> None:
    """With its proxies and certificates; it stays open."""
    async with Provider(201, TAKEN) as provider, httpx.AsyncClient() as client:
        asking = twilio(provider, client=client)
        assert await asking(PHONE, "hello") == TAKEN["sid"]
        await asking.aclose()
        assert not client.is_closed
    assert provider.headers[0]["authorization"].startswith("Basic ")


@pytest.mark.parametrize("phone", ["", "12", "+44 7400 123456 x9", "447400123456"])
async def test_what_is_no_number_is_not_sent(phone: str) -> None:
    """As everywhere else."""
    async with Provider(201, TAKEN) as provider:
        with pytest.raises(IntakeError):
            await twilio(provider)(phone, "hello")
    assert provider.lines == []


async def test_behind_a_guard() -> None:
    """Wrapped, it obeys decisions, and is told under which one it sent; a shadow returns an id of
    the same shape."""
    told: list[tuple[str, str, Decision | None]] = []
    policy = Policy(
        send="/s",
        rules=[
            RateLimit(name="loud", by="phone", limits="1/day"),
            RateLimit(name="silent", by="network", limits="1/day", action="shadow"),
        ],
    )
    async with Guard(policy) as guard, Provider(201, TAKEN) as provider:
        send = sender(twilio(provider, sent=lambda *each: told.append(each)))
        first = await guard.assess(guard.attempt(PHONE, "81.2.69.142"))
        assert await send(PHONE, "hello") == TAKEN["sid"]
        assert told == [("twilio", TAKEN["sid"], first)]
        await guard.assess(guard.attempt(PHONE, "81.2.69.143"))
        with pytest.raises(MessageNotSent):
            await send(PHONE, "hello")
        shadow = await guard.assess(guard.attempt("+447400123457", "81.2.69.142"))
        assert str(shadow.action) == "shadow"
        pretended = await send("+447400123457", "hello")
        assert (pretended[:2], len(pretended)) == ("SM", 34)
        assert pretended != TAKEN["sid"]
    assert len(provider.lines) == len(told) == 1


@pytest.mark.parametrize(
    ("status", "error", "left"), [(400, NotSent, 1), (500, SendUnknown, 0)], ids=["no", "unclear"]
)
async def test_what_an_error_costs(status: int, error: type[Exception], left: int) -> None:
    """What was refused is given back; what may have gone out counts as sent."""
    limit = RateLimit(name="limit", by="phone", limits="1/day")
    async with Guard(Policy(send="/s", settled=True, rules=[limit])) as guard:
        async with Provider(status, {}) as provider:
            send = sender(twilio(provider))
            decision = await guard.assess(guard.attempt(PHONE))
            with pytest.raises(error):
                await send(PHONE, "hello")
        if error is NotSent:
            guard.settle(decision, "not_sent")
            await guard.settled()
        assert (await guard.assess(guard.attempt(PHONE))).allowed is bool(left)


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"deadline": 0}, "sender.deadline"),
        ({"base": "http://api.twilio.com"}, "sender.base"),
        ({"max_price": 0}, "sender.max_price"),
    ],
)
def test_mistakes_are_named(settings: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError) as raised:
        Twilio("AC1", "tok", from_="+15005550006", **settings)
    assert raised.value.path == path


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where httpx is missing."""
    monkeypatch.setitem(sys.modules, "httpx", None)
    with pytest.raises(ModuleNotFoundError) as raised:
        Telnyx("key", from_="Shop")
    assert raised.value.__notes__ == ["senders need httpx: pip install 'pumpguard[senders]'"]
