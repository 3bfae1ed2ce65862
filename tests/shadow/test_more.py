"""More messages than a request was decided about: each is decided about when it is sent."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from pumpguard import (
    Action,
    Attempt,
    Decision,
    Finding,
    Guard,
    Policy,
    PumpGuardMiddleware,
    sender,
)
from pumpguard.errors import MessageNotSent
from pumpguard.intake.network import UnknownNetworks
from pumpguard.notices import Notices
from pumpguard.rules import RateLimit
from pumpguard.shadow import more
from pumpguard.shadow.current import CurrentRequest
from pumpguard.shadow.open_requests import LINGER, OPEN
from pumpguard.testing import FakeClock
from tests.asgi import PHONE, Reply, call, request
from tests.http_client import TestClient
from tests.test_observations import said

ALIASES = [f"+8801712{number:06}" for number in range(50)]

Send = Callable[[str], Awaitable[str]]


class Provider:
    """Sends, and says to whom; down for the numbers in ``fails``."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fails: set[str] = set()

    def send(self, phone: str) -> str:
        if phone in self.fails:
            raise ConnectionError("down")
        self.sent.append(phone)
        return "queued"

    async def send_later(self, phone: str) -> str:
        await asyncio.sleep(0)
        return self.send(phone)


class Shop:
    """An app that sends to all numbers of a body, behind a guard that reads the first one.

    At most one message per number and minute, and ten per country.
    """

    def __init__(self, *own: Any, **settings: Any) -> None:
        self.provider = Provider()
        self.clock = FakeClock()
        self.decisions: list[Decision] = []
        rules = (
            *own,
            RateLimit(name="number_limit", by="phone", limits="1/minute"),
            RateLimit(name="country_limit", by="country", limits="10/hour", action="block"),
        )
        self.guard = Guard(
            Policy(
                send="/graphql",
                phone="json:phone",
                phone_optional=True,
                rules=rules,
                deadline=10,
                **settings,
            ),
            clock=self.clock,
            networks=UnknownNetworks(),
            on_decision=self.decisions.append,
        )
        self.wrapped = sender(self.provider.send_later)
        self.refused: list[str] = []
        self.send: Send = self.wrapped
        self.together = False
        routes = [
            Route("/graphql", self.answer, methods=["POST"]),
            WebSocketRoute("/graphql", self.talk),
        ]
        self.app = PumpGuardMiddleware(Starlette(routes=routes), guard=self.guard)

    async def answer(self, request: Request) -> JSONResponse:
        body = await request.json()
        await self.send_all(list(filter(None, [body["phone"], *body.get("more", ())])))
        return JSONResponse({})

    async def talk(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await self.send_all((await websocket.receive_json())["phones"])
        await websocket.send_json({})
        await websocket.close()

    async def send_all(self, phones: list[str]) -> None:
        sends = [self.try_to(phone) for phone in phones]
        if self.together:
            await asyncio.gather(*sends)
        else:
            for each in sends:
                await each

    async def try_to(self, phone: str) -> None:
        try:
            await self.send(phone)
        except (MessageNotSent, ConnectionError):
            self.refused.append(phone)

    async def ask(self, phone: str, *more: str) -> Reply:
        reply = await call(
            self.app, request(path="/graphql"), json.dumps({"phone": phone, "more": more}).encode()
        )
        await self.guard.settled()
        return reply

    async def admitted(self, phone: str) -> bool:
        """Whether this number would get a message of its own now."""
        return (await self.ask(phone)).status == 200


def in_a_pool(shop: Shop) -> Send:
    """A plain function, in a thread to which no context is copied."""
    pool, plain = ThreadPoolExecutor(2), sender(shop.provider.send)
    return lambda phone: asyncio.get_running_loop().run_in_executor(pool, plain, phone)


def in_a_thread(shop: Shop) -> Send:
    """As a plain endpoint's body is run."""
    plain = sender(shop.provider.send)
    return lambda phone: asyncio.to_thread(plain, phone)


def awaited(shop: Shop) -> Send:
    return shop.wrapped


WAYS = [awaited, in_a_thread, in_a_pool]


@pytest.fixture(params=WAYS)
def shop(request: pytest.FixtureRequest) -> Shop:
    """With a sender of each kind, which has sent to a number that it was given. A pool knows no
    request, and a further number no decision, unless the policy decides about those too."""
    shop = Shop(undecided="decided" if request.param is in_a_pool else "sent")
    shop.send = request.param(shop)
    asyncio.run(shop.ask("+447400999999"))
    shop.provider.sent.clear()
    shop.decisions.clear()
    return shop


@pytest.mark.parametrize("together", [False, True])
async def test_aliases_are_attempts_of_their_own(shop: Shop, together: bool) -> None:
    """One charge does not buy 51 messages: here ten to a country."""
    shop.together = together
    assert (await shop.ask(PHONE, *ALIASES)).status == 200
    assert sorted(shop.provider.sent) == [PHONE, *ALIASES[:10]] or together
    assert len(shop.provider.sent) == 11
    assert len(shop.refused) == 40
    assert len(shop.decisions) == 51
    assert not await shop.admitted(ALIASES[-1])


async def test_the_same_number_again_is_another_message(shop: Shop) -> None:
    await shop.ask(PHONE, PHONE, PHONE)
    assert shop.provider.sent == [PHONE]


@pytest.mark.parametrize("typed", ["+44 (0)7400 123456", "+4407400123456", "+541124456790"])
async def test_a_number_as_it_was_typed_is_its_own(shop: Shop, typed: str) -> None:
    """Apps hand on what people type."""
    assert (await shop.ask(typed)).status == 200
    assert shop.provider.sent == [typed]
    assert len(shop.decisions) == 1


async def test_another_number_in_place_of_its_own(shop: Shop) -> None:
    """As by an inline argument beside harmless variables: it is charged, and not the other."""
    shop.send, inner = (lambda phone: inner(ALIASES[0])), shop.send
    for _ in range(2):
        await shop.ask(PHONE)
        shop.clock.advance(31)
    assert shop.provider.sent == [ALIASES[0]]


async def test_a_request_that_should_send_nothing_is_no_way_around(shop: Shop) -> None:
    """An inline argument and no variable: the policy reads no number, and the sender sees one."""
    for _ in range(2):
        body = json.dumps({"phone": "", "more": ALIASES}).encode()
        await call(shop.app, request(path="/graphql"), body)
    assert len(shop.provider.sent) == 10


async def test_the_log_says_it_once(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    await shop.ask(PHONE, *ALIASES)
    assert len(said(caplog, "PG087")) == 1
    assert ALIASES[0] not in caplog.text


async def test_what_has_failed_may_be_tried_again(shop: Shop) -> None:
    """By another provider: a call that has raised was no message."""
    shop.provider.fails = {PHONE}
    send = shop.send

    async def with_another_provider(phone: str) -> str:
        try:
            return await send(phone)
        except ConnectionError:
            shop.provider.fails.clear()
            return await send(phone)

    shop.send = with_another_provider
    await shop.ask(PHONE)
    assert shop.provider.sent == [PHONE]
    assert len(shop.decisions) == 1


@pytest.mark.parametrize("way", ["awaited", "in a thread", "a lambda around it"])
async def test_a_failure_that_is_returned_may_be_tried_again(way: str) -> None:
    """By another provider, where ``failed`` says what a failure looks like."""
    shop = Shop()
    answers = iter(["error 500", "queued"] * 2)

    def send(phone: str) -> str:
        answer = next(answers)
        if answer == "queued":
            shop.provider.sent.append(phone)
        return answer

    async def send_later(phone: str) -> str:
        return send(phone)

    def says_error(answer: str) -> bool:
        return answer.startswith("error")

    once: Send
    if way == "in a thread":
        plain = sender(send, failed=says_error)
        once = lambda phone: asyncio.to_thread(plain, phone)  # noqa: E731
    elif way == "awaited":
        once = sender(send_later, failed=says_error)
    else:
        once = sender(lambda phone: send_later(phone), failed=says_error)

    async def with_another_provider(phone: str) -> str:
        answer = await once(phone)
        return await once(phone) if says_error(answer) else answer

    shop.send = with_another_provider
    for phone in (PHONE, "+447400999999"):
        assert (await shop.ask(phone)).status == 200
    assert shop.provider.sent == [PHONE, "+447400999999"]
    assert (shop.refused, len(shop.decisions)) == ([], 2)


async def test_one_more_that_was_not_sent_is_given_back(shop: Shop) -> None:
    shop.provider.fails = {ALIASES[0]}
    await shop.ask(PHONE, ALIASES[0])
    shop.provider.fails.clear()
    assert await shop.admitted(ALIASES[0])


async def test_a_wrapped_function_within_another_sends_one_message() -> None:
    """Somebody has wrapped the provider's client too, which runs in a pool."""
    for inner in WAYS:
        shop = Shop()
        client = inner(shop)

        async def send(phone: str, client: Send = client) -> str:
            return await client(phone)

        shop.send = sender(send)
        for phone in ("+447400999999", PHONE):
            await shop.ask(phone)
        assert shop.provider.sent == ["+447400999999", PHONE]
        assert len(shop.decisions) == 2


async def test_nor_does_the_first_one_of_a_plain_function_around_it() -> None:
    """That it is asynchronous is known by what it returns."""
    shop = Shop()
    shop.send = sender(lambda phone: shop.wrapped(phone))
    await shop.ask(PHONE)
    assert shop.provider.sent == [PHONE]
    assert len(shop.decisions) == 1


async def test_nor_do_both_under_no_decision() -> None:
    shop = Shop(undecided="decided")

    async def remind(phone: str) -> str:
        return await shop.wrapped(phone)

    reminder = sender(remind)
    for phone in (PHONE, "+447400999999"):
        await reminder(phone)
    assert shop.provider.sent == [PHONE, "+447400999999"]
    assert len(shop.decisions) == 2


@pytest.mark.parametrize("known", [True, False])
async def test_but_no_more_than_one(known: bool) -> None:
    """A wrapped loop over a wrapped function is no way around."""
    shop = Shop()
    if known:
        await shop.ask("+447400999999")

    async def send_to_all(phones: list[str]) -> None:
        for phone in phones:
            await shop.try_to(phone)

    shop.send_all = sender(send_to_all)  # type: ignore[method-assign]
    await shop.ask(PHONE, *ALIASES)
    assert shop.provider.sent[known:] == [PHONE, *ALIASES[:10]]


async def test_the_second_of_two_providers_within_a_wrapped_function_may_be_tried() -> None:
    shop = Shop()
    down, up = sender(shop.provider.send_later), sender(shop.provider.send_later)

    async def send(phone: str) -> str:
        shop.provider.fails.add(phone)
        try:
            return await down(phone)
        except ConnectionError:
            shop.provider.fails.clear()
            return await up(phone)

    shop.send = sender(send)
    await shop.ask(PHONE)
    assert shop.provider.sent == [PHONE]
    assert len(shop.decisions) == 1


async def test_what_has_failed_within_another_is_given_back_once() -> None:
    """Both of them raise, and it was one message of two."""
    shop = Shop()
    shop.provider.fails = {PHONE}

    async def send(phone: str) -> str:
        return await shop.wrapped(phone)

    shop.send = sender(send)
    numbers = [PHONE, ALIASES[0]]
    decisions = [await shop.guard.decide(shop.guard.attempt(each)) for each in numbers]
    current = CurrentRequest(decisions[0], others=decisions[1:], more=shop.guard.more)
    token = OPEN.enter(current, None)
    await shop.try_to(ALIASES[0])
    assert current.covered == 1
    await shop.try_to(PHONE)
    assert current.covered == 1
    OPEN.leave(current, token, 200)


async def test_the_number_that_an_app_sends_from_is_not_who_it_sends_to() -> None:
    """Once it has stood beside a request's own number, in whatever order."""
    shop = Shop(undecided="decided")
    ours = "+15005550006"
    plain = sender(lambda ours, phone: shop.provider.send(phone))

    async def in_a_thread(phone: str) -> str:
        return await asyncio.to_thread(Context().run, plain, ours, phone)

    shop.send = in_a_thread
    await shop.ask(PHONE)
    for phone in ALIASES[:3]:
        await shop.try_to(phone)
    assert [each.attempt.phone.e164 for each in shop.decisions] == [PHONE, *ALIASES[:3]]


async def test_a_function_that_runs_beside_another_is_not_within_it() -> None:
    """An SMS, and what another wrapped function sends at the same time."""
    shop = Shop()
    others = sender(shop.provider.send_later)
    shop.together = True

    async def send(phone: str) -> str:
        return await (shop.wrapped if phone == PHONE else others)(phone)

    shop.send = send
    await shop.ask(PHONE, *ALIASES)
    assert len(shop.refused) == len(ALIASES) - 10
    assert len(shop.decisions) == 1 + len(ALIASES)


@pytest.mark.parametrize(("undecided", "sent"), [("sent", 50), ("decided", 10), ("refused", 0)])
async def test_a_policy_says_what_a_message_under_no_decision_is(undecided: str, sent: int) -> None:
    """Such as a reminder; or what a thread sends that knows no request. What is sent undecided is
    counted."""
    shop = Shop(undecided=undecided)
    for phone in ALIASES:
        await shop.try_to(phone)
    assert shop.provider.sent == ALIASES[:sent]
    counted = shop.guard.observations.counts["sent_undecided"]
    assert counted == (len(ALIASES) if undecided == "sent" else 0)


@pytest.mark.parametrize("later", [False, True])
async def test_a_task_that_outlives_the_answer_is_decided_about_for_a_minute(
    later: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends to further numbers. After that minute it is as under no decision: a worker that a
    request has started keeps that request's context for ever."""
    shop, answered, tasks = Shop(), asyncio.Event(), list[asyncio.Task[None]]()

    async def fan_out(phones: list[str]) -> None:
        first, *more = phones
        await shop.try_to(first)

        async def go_on() -> None:
            await answered.wait()
            for phone in more:
                await shop.try_to(phone)

        tasks.append(asyncio.create_task(go_on()))

    monkeypatch.setattr(shop, "send_all", fan_out)
    assert (await shop.ask(PHONE, *ALIASES)).status == 200
    if later:
        now = time.monotonic()
        monkeypatch.setattr(OPEN, "_clock", lambda: now + LINGER + 1)
    answered.set()
    await asyncio.gather(*tasks)
    assert len(shop.provider.sent) == 1 + (len(ALIASES) if later else 10)
    assert len(shop.refused) == (0 if later else len(ALIASES) - 10)


async def test_a_guard_that_is_gone_decides_about_nothing() -> None:
    shop = Shop(undecided="refused")
    send = shop.wrapped
    await shop.guard.aclose()
    del shop
    gc.collect()
    assert await send(PHONE) == "queued"


async def test_a_plain_sender_on_the_loops_own_thread_cannot_wait() -> None:
    """So it sends what was decided about, and no more."""
    shop = Shop()
    plain = sender(shop.provider.send)

    async def blocking(phone: str) -> str:
        return plain(phone)

    shop.send = blocking
    await shop.ask(PHONE, *ALIASES)
    assert shop.provider.sent == [PHONE]
    assert shop.refused == ALIASES


async def test_a_loop_that_waits_for_the_thread_that_sends_is_not_stopped_for_ever(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As ``pool.map`` in an async endpoint: neither could go on. The log says it."""
    monkeypatch.setattr(more, "PATIENCE", 0.05)
    monkeypatch.setattr(more, "_notices", Notices())
    shop = Shop(undecided="decided")
    plain = sender(shop.provider.send)

    async def blocking(phone: str) -> str:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(plain, phone).result()

    shop.send = blocking
    await shop.ask(PHONE, *ALIASES[:2])
    assert shop.provider.sent == [PHONE]
    assert shop.refused == ALIASES[:2]
    assert len(said(caplog, "PG090")) == 1
    assert await shop.admitted(ALIASES[0]), "what was not sent is not counted"


async def test_a_shadow_about_one_more_is_as_silent_as_any() -> None:
    def shadows_abroad(attempt: Attempt) -> Finding | None:
        abroad = attempt.phone.region != "GB"
        return Finding("shadows_abroad", Action.SHADOW, "ABROAD") if abroad else None

    shop = Shop(shadows_abroad)
    await shop.ask(PHONE, ALIASES[0])
    assert shop.provider.sent == [PHONE]
    assert shop.refused == []


async def test_nested_guards_decide_both() -> None:
    """Whatever the inner one lets through, the outer one may refuse."""
    shop = Shop()
    outer = Guard(
        Policy(
            name="outer",
            send="/graphql",
            phone="json:phone",
            rules=(RateLimit(name="countries", by="country", limits="3/hour"),),
            deadline=10,
        ),
        clock=shop.clock,
        networks=UnknownNetworks(),
    )
    shop.app = PumpGuardMiddleware(shop.app, guard=outer)
    await shop.ask(PHONE, *ALIASES)
    assert shop.provider.sent == [PHONE, *ALIASES[:3]]


async def test_a_worker_that_asks_for_itself() -> None:
    """One assessment is one message."""
    shop = Shop()
    for phone in (PHONE, ALIASES[0]):
        assert (await shop.guard.assess(shop.guard.attempt(phone))).allowed
        await shop.try_to(phone)
        await shop.try_to(phone)
    assert shop.provider.sent == [PHONE, ALIASES[0]]


def test_a_websockets_messages_are_decided_about() -> None:
    """Nobody reads what it asks for, but its sender knows."""
    shop = Shop()
    with TestClient(shop.app) as client:
        for i in range(5):
            with client.websocket_connect("/graphql") as socket:
                socket.send_json({"phones": ALIASES[i * 10 : i * 10 + 10]})
                assert socket.receive_json() == {}
    assert len(shop.provider.sent) == 10
    assert {decision.attempt.client.address for decision in shop.decisions} == {None}


def test_a_websocket_whose_number_nobody_sees_sends_nothing() -> None:
    shop = Shop()

    async def to_a_user(user: object) -> str:
        return shop.provider.send(str(user))

    shop.send = sender(to_a_user)
    with TestClient(shop.app) as client, client.websocket_connect("/graphql") as socket:
        socket.send_json({"phones": ["user-7"]})
        socket.receive_json()
    assert shop.provider.sent == []
    assert shop.refused == ["user-7"]
