"""Under a shadow nothing is sent, from wherever the app calls its sender."""

from __future__ import annotations

import asyncio
import base64
import contextvars
import functools
import queue
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import pumpguard
from pumpguard import Action, Guard, Policy, PumpGuardMiddleware, TicketError, sender
from pumpguard.errors import MessageNotSent
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.shadow.carry import current_decision
from pumpguard.shadow.current import current_request
from pumpguard.shadow.tokens import reader_of
from pumpguard.testing import FakeClock, SimulatedHuman
from tests.asgi import PHONE, ask
from tests.otp_app import Outbox, guarded
from tests.shadow.site import SHADOWED, Site, quiet

NATIONAL = "07400 999999"
SECRET = "a-secret-of-32-bytes-for-a-policy"


class Ways:
    """All the ways in which apps call a plain sender, and an async one."""

    def __init__(self, outbox: Outbox) -> None:
        self.send = sender(outbox.send, shadowed="id")
        self.pool = ThreadPoolExecutor(2)
        self.jobs: queue.Queue[str | None] = queue.Queue()
        self.lines: asyncio.Queue[str] = asyncio.Queue()
        self.started: list[Any] = []

        async def send_later(phone: str) -> str:
            return outbox.send(phone)

        self.send_later = sender(send_later, shadowed="id")

    async def awaited(self, phone: str) -> object:
        return await self.send_later(phone)

    async def to_thread(self, phone: str) -> object:
        return await asyncio.to_thread(self.send, phone)

    async def create_task(self, phone: str) -> object:
        self.started.append(asyncio.create_task(self.send_later(phone)))
        return None

    async def run_in_executor(self, phone: str) -> object:
        return await asyncio.get_running_loop().run_in_executor(None, self.send, phone)

    async def pool_submit(self, phone: str) -> object:
        return await asyncio.wrap_future(self.pool.submit(self.send, phone))

    async def in_a_dict(self, phone: str) -> object:
        """As the keyword arguments of a provider's client, with a prefix of its own."""
        raw: Any = self.send
        send = sender(lambda *, message: raw.__wrapped__(message["to"]), shadowed="id")
        message = {"to": f"whatsapp:{phone}", "body": "1 2 3"}
        return await asyncio.wrap_future(self.pool.submit(send, message=message))

    async def handed_over(self, phone: str) -> object:
        """To a function whose arguments have no number in them."""
        raw: Any = self.send
        send = sender(raw.__wrapped__, shadowed="id")
        call = functools.partial(send, "user-7", pumpguard_decision=current_decision())
        return await asyncio.get_running_loop().run_in_executor(None, call)

    async def thread(self, phone: str) -> object:
        thread = threading.Thread(target=self.send, args=(phone,))
        thread.start()
        return await asyncio.to_thread(thread.join)

    async def asyncio_queue(self, phone: str) -> object:
        """Its worker was started by the first request, and keeps that one's context for ever."""

        async def work() -> None:
            while True:
                await self.send_later(await self.lines.get())
                self.lines.task_done()

        if not self.started:
            self.started.append(asyncio.create_task(work()))
        await self.lines.put(phone)
        await self.lines.join()
        return None

    async def thread_queue(self, phone: str) -> object:
        def work() -> None:
            while (job := self.jobs.get()) is not None:
                self.send(job)
                self.jobs.task_done()
            self.jobs.task_done()

        if not self.started:
            self.started.append(threading.Thread(target=work))
            self.started[0].start()
        self.jobs.put(phone)
        return await asyncio.to_thread(self.jobs.join)


WAYS = [name for name in vars(Ways) if not name.startswith("_")]


@pytest.fixture
def outbox() -> Outbox:
    """The provider."""
    return Outbox()


@pytest.fixture
def ways(outbox: Outbox) -> Iterator[Ways]:
    """Ways to it; their workers are stopped afterwards."""
    ways = Ways(outbox)
    yield ways
    ways.jobs.put(None)
    ways.pool.shutdown()


@pytest.mark.parametrize("way", WAYS)
async def test_a_shadow_is_silent_wherever_the_sender_is_called(
    way: str, ways: Ways, outbox: Outbox
) -> None:
    """Twice, after a message that shows how this app sends; the answers are the same."""
    site = Site(getattr(ways, way))
    replies = [await site.ask(phone) for phone in (PHONE, SHADOWED, SHADOWED)]
    for task in ways.started:
        if isinstance(task, asyncio.Task) and way == "asyncio_queue":
            task.cancel()

    assert [reply.status for reply in replies] == [202, 202, 202]
    assert replies[0].messages == replies[1].messages == replies[2].messages
    assert len(outbox.sent) == 1


async def test_a_number_as_people_write_it_at_home_is_recognised(
    ways: Ways, outbox: Outbox
) -> None:
    async def at_home(phone: str) -> object:
        spelt = NATIONAL if phone == SHADOWED else "07400 123456"
        return await asyncio.wrap_future(ways.pool.submit(ways.send, spelt))

    site = Site(at_home)
    assert [(await site.ask(phone)).status for phone in (PHONE, SHADOWED)] == [202, 202]
    assert outbox.sent == ["07400 123456"]


# Guards in guards


async def test_nested_guards_obey_the_strictest(outbox: Outbox) -> None:
    """Whichever of a tenant's and the fleet's guard shadows; also from a pool of threads."""
    send = sender(outbox.send, shadowed="id")
    seen: list[Action] = []

    async def way(phone: str) -> object:
        decision = current_decision()
        assert decision is not None
        seen.append(decision.action)
        send(phone)
        return await asyncio.get_running_loop().run_in_executor(None, send, phone)

    limit = RateLimit(name="l", by="phone", limits="9/hour")
    for inner, outer in (((quiet,), (limit,)), ((limit,), (quiet,))):
        outbox.sent.clear()
        site = guarded(Site(way).app, rules=inner, name="inner")
        both = guarded(site, rules=outer, name="outer")
        statuses = [(await ask(both, phone)).status for phone in (PHONE, SHADOWED, PHONE)]
        assert statuses == [202] * 3
        assert outbox.sent == [PHONE] * 4
    assert seen == [Action.ALLOW, Action.SHADOW, Action.ALLOW] * 2


# Workers


@pytest.mark.parametrize("by", ["pumpguard", "guard"])
@pytest.mark.parametrize("action", [Action.ALLOW, Action.SHADOW])
async def test_a_token_takes_a_decision_to_another_process(
    action: Action, by: str, outbox: Outbox
) -> None:
    """It holds nothing personal, and the worker's sender obeys it."""
    tokens: list[str | None] = []

    async def enqueue(phone: str) -> None:
        decision = current_decision()
        assert decision is not None
        guard = site.guarded.guard
        tokens.append(pumpguard.current_token() if by == "pumpguard" else guard.token(decision))

    site = Site(enqueue, secret=SECRET)
    assert (await site.ask(PHONE)).status == 202
    assert (await site.ask(SHADOWED)).status == 202  # taking a token is enough
    token = tokens[action is Action.SHADOW]
    assert token is not None
    assert "7400" not in token

    send = sender(lambda user: outbox.send(user), shadowed="id")
    worker = Guard(Policy(send="/otp/send", secret=SECRET), clock=FakeClock())
    with worker.resume(token):
        sent = contextvars.copy_context().run(send, "user-7")
    assert (sent, outbox.sent) == (
        ("message-1", ["user-7"]) if action is Action.ALLOW else ("id", [])
    )
    assert current_request.get() is None


async def test_a_token_is_for_its_number_and_its_hour(outbox: Outbox) -> None:
    """With a number of another's, an old one or a forged one, nothing is sent."""
    clock = FakeClock()
    guard = Guard(Policy(send="/otp/send", secret=SECRET, rules=(quiet,)), clock=clock)
    decision = await guard.decide(guard.attempt(PHONE))
    token, send = guard.token(decision), sender(outbox.send)
    with guard.resume(token):
        send("0044 7400 123456")
        send("07400 999999")  # its calling code is not known for certain
        with pytest.raises(MessageNotSent):
            send(SHADOWED)
    forged = token[:-1] + ("A" if token[-1] != "A" else "Q")
    for wrong in (forged, "", "ä", token[:20]):
        with pytest.raises(TicketError), guard.resume(wrong):
            send(PHONE)
    other = Guard(Policy(send="/otp/send", secret=SECRET[::-1]), clock=clock)
    with pytest.raises(TicketError), other.resume(token):
        send(PHONE)
    clock.advance(3_601)
    with pytest.raises(TicketError, match="older"), guard.resume(token):
        send(PHONE)
    assert len(outbox.sent) == 2


async def test_a_token_without_a_secret_is_this_processs_own(outbox: Outbox) -> None:
    guard = Guard(Policy(send="/otp/send", rules=(quiet,)), clock=FakeClock())
    token = guard.token(await guard.decide(guard.attempt(SHADOWED)))
    send: Any = sender(outbox.send, shadowed="id")
    assert send(SHADOWED, pumpguard_decision=token) == "id"
    with guard.resume(None):
        assert send(SHADOWED) == "message-1"
    assert pumpguard.current_token() is None


async def test_whoever_assesses_and_sends_obeys(outbox: Outbox) -> None:
    """A worker that does not look at the decision, or looks and goes on to others."""
    send = sender(outbox.send, shadowed="id")
    rules = (quiet, RateLimit(name="l", by="phone", limits="1/hour"))
    guard = Guard(Policy(send="/otp/send", rules=rules), clock=FakeClock())

    async def job(phone: str) -> str:
        await guard.assess(guard.attempt(phone))
        return send(phone)

    assert await job(SHADOWED) == "id"
    assert await job(PHONE) == "message-1"
    with pytest.raises(MessageNotSent, match="throttle"):
        await job(PHONE)
    assert send("+447400888888") == "message-2"  # nobody was asked about this one
    await asyncio.gather(guard.assess(guard.attempt(SHADOWED)))  # in a task of its own
    assert await asyncio.to_thread(send, SHADOWED) == "id"


# What it costs not to


@pytest.mark.parametrize("policy", ["default", "documented"])
async def test_an_attacker_under_a_shadow_costs_the_same_whoever_calls(policy: str) -> None:
    """Twenty minutes of a block in Bangladesh: a pool's thread sends as little as a direct call."""
    options: dict[str, Any] = {}
    if policy == "documented":
        after = ["prefix_pattern", "range_pattern", "credit"]
        options = {"verify": "/v", "rules": {"shadow_ban": {"after": after}}}
    spent = []
    for way in ("to_thread", "run_in_executor"):
        outbox = Outbox()
        ways, clock = Ways(outbox), FakeClock()
        app = Site(getattr(ways, way)).app
        site = PumpGuardMiddleware(
            app,
            Policy(send="/otp/send", home=["GB"], daily_budget=600, **options),
            networks=UnknownNetworks(),
            clock=clock,
            challenge=SimulatedHuman(),
        )
        for number in range(1_200):
            clock.advance(1)
            headers = {"x-sim-human": "1"} if options else {}
            await ask(site, f"+88017{12_000_000 + number:08}", headers=headers)
        spent.append(len(outbox.sent) * site.guard.policy.price_table.price("BD"))
        ways.pool.shutdown()
    assert spent[0] == spent[1] <= 2.5


def test_a_token_of_a_secret_that_nobody_here_has() -> None:
    """Which process could read it is not known here."""
    token = base64.urlsafe_b64encode(bytes(64)).decode().rstrip("=")
    with pytest.raises(TicketError, match="no guard in this process has the secret"):
        reader_of(token)
