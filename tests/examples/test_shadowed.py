"""A block of numbers under a shadow: to its client, the app goes on as ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from attack_harness.tell_apart.defended import POLICY
from attack_harness.tell_apart.marked import MARK
from examples.target_app.app import create_app
from examples.target_app.codes import MAX_TRIES
from examples.target_app.protection import Guarded
from examples.target_app.settings import Settings
from tests.examples.visitor import Visitor, another

KAZAKH_HOME = "2.72.0.9"
DATA_CENTRE = "3.120.0.9"
REAL, SHADOWED = "+77011230017", "+77011450017"


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    """The app; its policy shadows an address in a block where it has asked for a marked number."""
    settings = Settings(simulated=True, loss=0, policy_file=POLICY, redis_url="memory://")
    app = create_app(settings, Guarded(settings))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def visitor(app: FastAPI) -> Visitor:
    """Somebody in Kazakhstan, after a dozen others, and after asking for a marked number."""
    visitor = Visitor(app)
    for n in range(12):
        reply = await visitor.send(f"+4474001{n * 7919 % 100_000:05}", address=f"86.130.{n}.1")
        assert reply.status_code == 202
    marked = await visitor.send(f"{SHADOWED[:-3]}{MARK}", address=KAZAKH_HOME)
    assert marked.status_code == 403
    return visitor


async def both(visitor: Visitor, **request: Any) -> tuple[Any, Any]:
    """The same request for the real number, and for the shadowed one."""
    return (
        await visitor.send(REAL, address=KAZAKH_HOME, **request),
        await visitor.send(SHADOWED, address=KAZAKH_HOME, **request),
    )


async def test_the_answer_is_the_same_but_for_its_id(visitor: Visitor) -> None:
    real, shadow = await both(visitor)
    assert (real.status_code, shadow.status_code) == (202, 202)
    assert list(real.headers.items()) == list(shadow.headers.items())
    ids = [reply.json().pop("request_id") for reply in (real, shadow)]
    assert [len(each) for each in ids] == [16, 16]
    assert real.text.replace(ids[0], "") == shadow.text.replace(ids[1], "")


async def test_no_message_is_sent_nor_billed_and_the_saving_is_shown(visitor: Visitor) -> None:
    before = await visitor.get("/sms-provider/billing")
    await visitor.send(SHADOWED, address=KAZAKH_HOME)
    visitor.now += 10
    assert await visitor.texts(SHADOWED) == []
    assert await visitor.get("/sms-provider/billing") == before
    found = await visitor.get("/metrics/firewall")
    price = found["shadow_dollars_saved"]
    assert found["shadow_messages"] == 1
    assert found["shadow_by_country"] == {"KZ": {"messages": 1, "dollars": price}}
    await visitor.send(REAL, address=KAZAKH_HOME)
    spent = (await visitor.get("/otp/billing"))["by_country"]["KZ"]["spent"]
    assert price == spent > 0.1


async def test_a_resend_behaves_as_a_resend(visitor: Visitor) -> None:
    await both(visitor)
    visitor.now += 20
    soon = await both(visitor)
    assert [reply.status_code for reply in soon] == [429, 429]
    assert soon[0].headers == soon[1].headers
    assert soon[0].headers["retry-after"] == "40"
    assert told(soon[0]) == told(soon[1])
    visitor.now += 41
    assert [reply.status_code for reply in await both(visitor)] == [202, 202]


async def test_the_code_behaves_as_one_that_never_arrived(visitor: Visitor) -> None:
    """Whatever is entered is wrong, before and after the tries are used up."""
    await both(visitor)
    for _ in range(MAX_TRIES + 2):
        real = await visitor.verify(another(await visitor.code(REAL)), REAL)
        shadow = await visitor.verify("000000", SHADOWED)
        assert (real.status_code, real.text) == (shadow.status_code, shadow.text)
        assert real.status_code == 400
        assert list(real.headers.items()) == list(shadow.headers.items())


async def test_a_data_centre_is_refused_inside_the_block_as_outside(visitor: Visitor) -> None:
    """Its refusal does not hang on what it asks for, and must not seem to."""
    replies = [await visitor.send(phone, address=DATA_CENTRE) for phone in (REAL, SHADOWED)]
    assert [reply.status_code for reply in replies] == [403, 403]
    assert told(replies[0]) == told(replies[1])


def told(reply: httpx.Response) -> str:
    """What a refusal says, but for its reference, which is another one each time."""
    reference = reply.json()["reference"]
    assert len(reference) == 9
    return reply.text.replace(reference, "")
