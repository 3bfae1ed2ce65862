"""What becomes of a message: overheard from the app or told by it, and never in the reply's way."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from pumpguard import (
    Decision,
    Guard,
    IntakeError,
    Policy,
    PumpGuardMiddleware,
    StoreError,
    TicketError,
)
from pumpguard.intake.network import UnknownNetworks
from pumpguard.loop_thread import LOOP
from pumpguard.ops.metrics import FirewallMetrics
from pumpguard.outcomes import Ticket
from pumpguard.outcomes import queue as queue_module
from pumpguard.outcomes.queue import CAPACITY, OutcomeQueue
from pumpguard.outcomes.telling import Flow, Listen, QueuedOutcome, Verified
from pumpguard.rules import Budget, Credit
from pumpguard.store.base import Question, Redemption, Settlement
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import FORM, PHONE, Reply, ask, call, request
from tests.conftest import PATIENT

PRICE = 0.07
"""USD for a message to Great Britain, by these tests' own price."""


class App:
    """Answers as it is told, and reads the body as apps do."""

    def __init__(self) -> None:
        self.status = 202
        self.fails_with: Exception | None = None
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])
        if self.fails_with is not None:
            raise self.fails_with
        await send({"type": "http.response.start", "status": self.status, "headers": []})
        await send({"type": "http.response.body", "body": b""})


class Shop:
    """An app behind a guard with one line of credit: two messages, and no more unverified."""

    def __init__(self, store: str, name: str, **policy: Any) -> None:
        rules = [
            Credit(lines={"country": 2.5 * PRICE}),
            Budget(day=600 * PRICE, hour=100 * PRICE, reserved=0.0),
        ]
        settings: dict[str, Any] = {
            "send": "/otp/send", "verify": "/otp/verify", "rules": rules, "deadline": 10,
            "price_overrides": {"GB": PRICE}, "name": name, "daily_budget": 600 * PRICE,
        }  # fmt: skip
        self.app = App()
        self.clock = FakeClock()
        self.guard = Guard(
            Policy(**{**settings, **policy}), store, clock=self.clock, networks=UnknownNetworks()
        )
        self.guard.observations.hearing.hear()  # as in an app whose users verify
        self.middleware = PumpGuardMiddleware(self.app, guard=self.guard)

    async def post(self, path: str, body: bytes | str, content_type: str | None = None) -> Reply:
        options: Any = {} if content_type is None else {"content_type": content_type}
        self.clock.advance(0.5)
        text = body if isinstance(body, bytes) else body.encode()
        return await call(self.middleware, request(path=path, **options), text)

    async def send(self, number: int, status: int = 202) -> int:
        self.app.status = status
        reply = await self.post("/otp/send", f'{{"phone": "+44740000{number:04}"}}')
        await self.guard.settled()
        return reply.status

    async def enter_code(self, number: int, status: int = 200) -> int:
        self.app.status = status
        phone = f'{{"phone": "+44740000{number:04}", "code": "123456"}}'
        return (await self.post("/otp/verify", phone)).status


@pytest.fixture(params=["memory", "valkey"])
async def shop(request: pytest.FixtureRequest, name: str) -> AsyncIterator[Shop]:
    """In memory, and in a real server."""
    url = "memory://" if request.param == "memory" else request.getfixturevalue("valkey_url")
    made = Shop(url, name)
    yield made
    await made.guard.aclose()


async def test_a_code_that_is_entered_pays_for_its_message(shop: Shop) -> None:
    """The app tells nobody: the guard hears its 200."""
    for number in range(20):
        assert await shop.send(number) == 202
        assert await shop.enter_code(number) == 200
    assert shop.app.bodies[-1].endswith(b'"code": "123456"}')


async def test_a_wrong_code_pays_for_nothing(shop: Shop) -> None:
    statuses = []
    for number in range(4):
        statuses.append(await shop.send(number))
        await shop.enter_code(number, status=400)
    assert statuses == [202, 202, 429, 429]


async def test_a_number_that_was_never_sent_to_pays_for_nothing(shop: Shop) -> None:
    await shop.send(1)
    await shop.send(2)
    for number in range(50, 60):
        await shop.enter_code(number)
    assert await shop.send(3) == 429


async def test_a_message_that_the_app_could_not_send_is_given_back(shop: Shop) -> None:
    """The provider is down: the app answers 502, and nobody's credit is used up by it."""
    for number in range(5):
        assert await shop.send(number, status=502) == 502
    assert await shop.send(8) == 202


async def test_an_app_that_raises_has_not_sent(shop: Shop) -> None:
    shop.app.fails_with = RuntimeError("no route to the provider")
    for number in range(5):
        with pytest.raises(RuntimeError, match="no route"):
            await shop.send(number)
    shop.app.fails_with = None
    assert await shop.send(8) == 202


@pytest.mark.parametrize("status", [200, 202, 302, 303])
async def test_an_answer_that_messages_go_out_with_gives_nothing_back(
    shop: Shop, status: int
) -> None:
    """Forms are answered by a redirect to the page where the code is entered."""
    assert [await shop.send(number, status=status) for number in range(3)] == [status, status, 429]


@pytest.mark.parametrize("status", [301, 307, 308, 400, 401, 403, 404, 405, 409, 422, 429, 503])
async def test_any_other_answer_gives_everything_back(shop: Shop, status: int) -> None:
    """Nothing was sent: nobody owes anything for it."""
    assert [await shop.send(number, status=status) for number in range(5)] == [status] * 5
    assert [await shop.send(number) for number in (6, 7, 8)] == [202, 202, 429]


async def test_an_address_that_sends_nothing_is_not_free(shop: Shop) -> None:
    """Thirty times an hour; after that it is charged as if it had sent."""
    statuses = [await shop.send(number, status=404) for number in range(35)]
    assert statuses == [404] * 32 + [429] * 3


async def test_refunds_have_a_cap(name: str) -> None:
    """Five hundredths of an hour's budget: here, five messages. Then failures cost.

    Eight more fit into the rule's own hour: without a challenge it asks nobody before it is spent.
    """
    shop = Shop("memory://", name, rules=[Budget(day=600 * PRICE, hour=8 * PRICE, reserved=0.0)])
    statuses = [await shop.send(number, status=500) for number in range(30)]
    assert statuses == [500] * (8 + 5) + [429] * 17


async def test_the_app_may_tell_from_another_process(valkey_url: str, name: str) -> None:
    """A ticket goes through a job queue as text; saying it twice counts once."""
    shop, worker = Shop(valkey_url, name), Shop(valkey_url, name)
    attempts = [make_attempt(f"+44740000{n:04}", price=PRICE, at=shop.clock()) for n in range(4)]
    decisions = [await shop.guard.assess(attempt) for attempt in attempts]
    assert [decision.allowed for decision in decisions] == [True, True, False, False]
    ticket = str(Ticket(decisions[0].reservation, decisions[0].attempt))
    for _ in range(2):
        worker.guard.settle(ticket, "failed")
    await worker.guard.settled()
    shop.clock.advance(1)  # within which a process sees what others have made room for
    later = [replace(attempt, at=shop.clock()) for attempt in attempts[2:]]
    again = [await shop.guard.assess(attempt) for attempt in later]
    assert [decision.allowed for decision in again] == [True, False]
    await shop.guard.aclose()
    await worker.guard.aclose()


async def test_a_message_is_settled_once(shop: Shop) -> None:
    """First failed, then verified, then failed again: one message was given back, not three."""
    await shop.send(1)
    decision = await shop.guard.assess(make_attempt("+447400000002", price=PRICE, at=shop.clock()))
    for _ in range(3):
        shop.guard.settle(decision, "failed")
        shop.guard.verified("+447400000002")
        await shop.guard.settled()
    assert [await shop.send(3), await shop.send(4)] == [202, 429]


async def test_an_unallocated_message_gives_nothing_back(shop: Shop) -> None:
    """Neither its dollars nor its credit; and once said, it cannot fail or be verified any more."""
    decision = await shop.guard.assess(make_attempt("+447400000001", price=PRICE, at=shop.clock()))
    await shop.send(2)
    shop.guard.settle(decision, "unallocated")
    await shop.guard.settled()
    assert await shop.send(3) == 429
    shop.guard.settle(decision, "failed")
    shop.guard.verified("+447400000001")
    await shop.guard.settled()
    assert await shop.send(4) == 429


async def test_that_it_was_sent_changes_nothing(shop: Shop) -> None:
    decision = await shop.guard.assess(make_attempt(price=PRICE, at=shop.clock()))
    shop.guard.settle(decision, "sent")
    await shop.guard.settled()
    assert [await shop.send(3), await shop.send(4)] == [202, 429]


async def test_an_outcome_that_there_is_not_is_refused(shop: Shop) -> None:
    """A misspelt one would be taken for a failure; the error names the right ones."""
    decision = await shop.guard.assess(make_attempt(price=PRICE, at=shop.clock()))
    wanted = "outcome: expected one of 'sent', 'not_sent', 'failed', 'unallocated', got 'delvered'"
    with pytest.raises(TicketError, match=f"^{wanted}$"):
        shop.guard.settle(decision, "delvered")  # type: ignore[arg-type]


async def test_a_refused_message_cannot_be_settled(shop: Shop) -> None:
    attempts = [make_attempt(f"+44740000{n:04}", price=PRICE, at=shop.clock()) for n in range(3)]
    *_, refused = [await shop.guard.assess(attempt) for attempt in attempts]
    assert refused.reservation == b""
    shop.guard.settle(refused, "failed")
    await shop.guard.settled()
    assert await shop.send(9) == 429


async def test_who_has_verified_is_known(shop: Shop) -> None:
    await shop.send(1)
    await shop.enter_code(1)
    later = make_attempt("+447400000001", price=PRICE, at=shop.clock())
    assert (await shop.guard.assess(later)).known
    assert not (await shop.guard.assess(make_attempt(price=PRICE, at=shop.clock()))).known


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"phone=%2B447400000001&code=1", FORM),
        (b'{"phone": "0044 7400 000001"}', None),
    ],
)
async def test_the_number_may_be_spelt_as_in_any_request(
    shop: Shop, body: bytes, content_type: str | None
) -> None:
    await shop.send(1)
    await shop.send(2)
    shop.app.status = 200
    await shop.post("/otp/verify/", body, content_type)
    assert await shop.send(3) == 202


@pytest.mark.parametrize("body", [b"", b"{", b'{"phone": 7}', b'{"phone": "x"}', b"[" * 50_000])
async def test_a_verification_that_cannot_be_read_is_the_apps_affair(
    shop: Shop, body: bytes
) -> None:
    """It passes, byte for byte; the guard learns nothing from it."""
    shop.app.status = 200
    assert (await shop.post("/otp/verify", body)).status == 200
    assert shop.app.bodies == [body]


async def test_a_number_that_is_none_is_refused_where_it_is_told(shop: Shop) -> None:
    with pytest.raises(IntakeError):
        shop.guard.verified("12")


class Away(MemoryStore):
    """Decides, and can be told something when the test says so; notes what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.away = True
        self.hears = False  # does what it is told, although it says that it is away
        self.told: list[str] = []

    async def redeem(self, redemption: Redemption) -> Any:
        if self.away and not self.hears:
            raise StoreError("away")
        self.told.append(f"who is {redemption.phone}?")
        return await super().redeem(redemption)

    async def settle(self, settlements: Any) -> Any:
        if not self.away or self.hears:
            self.told += [each.outcome for each in settlements]
            await super().settle(settlements)
        if self.away:
            raise StoreError("away")
        return len(settlements)


def over(store: MemoryStore) -> tuple[Guard, OutcomeQueue]:
    """A guard that keeps outcomes, and its queue."""
    policy = Policy(send="/s", settled=True, rules=[Credit(lines={"country": 1e5})])
    guard = Guard(policy, store, networks=UnknownNetworks())
    assert guard.reports.queue is not None
    return guard, guard.reports.queue


async def test_what_the_store_does_not_hear_is_kept_and_told_in_order_when_it_is_back() -> None:
    """An outage costs nobody a verification."""
    store = Away()
    guard, queue = over(store)
    numbers = [f"+44740000{number:04}" for number in range(100)]
    decisions = [await guard.assess(make_attempt(number)) for number in numbers]
    for decision, number in zip(decisions, numbers, strict=True):
        guard.verified(number)
        guard.settle(decision, "failed")
    await guard.settled()
    assert store.told == []
    assert (len(queue), queue.lost) == (200, 0)
    assert (await guard.assess(make_attempt("+447400555001"))).allowed
    store.away = False
    await guard.settled()
    assert (len(queue), queue.lost) == (0, 0)
    assert [each for each in store.told if "?" in each] == [f"who is {n}?" for n in numbers]
    assert store.told.count("failed") == 100


async def test_it_is_told_when_the_store_is_back_though_nothing_else_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The queue looks by itself."""
    monkeypatch.setattr(queue_module, "RETRY", 0.001)
    store = Away()
    guard, queue = over(store)
    guard.verified(PHONE)
    await guard.settled()
    assert len(queue) == 1
    store.away = False
    while len(queue):  # noqa: ASYNC110 - it is the queue's own timer that is waited for
        await asyncio.sleep(0.001)
    assert store.told == [f"who is {PHONE}?"]


async def test_the_same_outcome_waits_once() -> None:
    """Whoever enters a code a thousand times while the store is away does not crowd out others."""
    store = Away()
    guard, queue = over(store)
    decision = await guard.assess(make_attempt(PHONE))
    for _ in range(1_000):
        guard.verified(PHONE)
        guard.settle(decision, "failed")
    await guard.settled()
    assert len(queue) == 2
    store.away = False
    await guard.settled()
    guard.verified(PHONE)
    await guard.settled()
    assert [each for each in store.told if "?" in each] == [f"who is {PHONE}?"] * 2


async def test_a_failure_that_was_told_first_counts_first() -> None:
    """Though a number's tickets are asked for before settlements are told."""
    store = Away()
    guard, _ = over(store)
    decision = await guard.assess(make_attempt(PHONE))
    guard.settle(decision, "failed")
    guard.verified("+447400555001")
    guard.verified(PHONE)
    store.away = False
    await guard.settled()
    assert store.told == ["who is +447400555001?", "failed", f"who is {PHONE}?"]


async def test_a_verification_is_not_told_twice() -> None:
    """The store may have heard it, and did not say so: paid back twice, it would admit too much.
    A failed message may be told again: its ticket is taken once."""
    store = Away()
    guard, queue = over(store)
    decisions = [await guard.assess(make_attempt(f"+44740000000{n}")) for n in range(2)]
    store.hears = True
    guard.verified("+447400000000")
    guard.settle(decisions[1], "failed")
    await guard.settled()
    assert (len(queue), queue.lost) == (1, 1)
    store.away = False
    await guard.settled()
    assert (len(queue), queue.lost) == (0, 1)
    assert store.told.count("verified") == 1
    assert store.told.count("failed") == 2


async def test_a_process_that_ends_while_the_store_is_away_says_what_is_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """In the log and in the counts; and it does end."""
    monkeypatch.setattr(queue_module, "RETRY", 0.001)
    guard, queue = over(Away())
    metrics = FirewallMetrics()
    metrics.watch(guard)
    for number in range(30):
        guard.verified(f"+44740000{number:04}")
    await guard.settled()
    assert metrics.snapshot()["outcomes_waiting"] == 30
    await guard.aclose()
    assert (len(queue), queue.lost) == (0, 30)
    assert "PG075 30 outcomes were lost" in caplog.text
    assert metrics.snapshot()["outcomes_lost"] == 30
    assert guard.observations.snapshot()["outcomes_lost"] == 30


@pytest.mark.parametrize("loop", ["that runs", "that has ended", "of nobody"])
def test_a_synchronous_view_is_heard_at_once(loop: str, name: str, valkey_url: str) -> None:
    """Not with the next decision: in the app's own event loop, or in one that has a thread."""
    policy = Policy(send="/send", settled=True, rules=[Credit(lines={"phone": 1})], name=name)
    guard = Guard(policy, valkey_url, networks=UnknownNetworks())

    async def assess_and(verify: Callable[[], Awaitable[None]] | None) -> None:
        await guard.assess(guard.attempt(PHONE))
        await guard.settled()
        if verify is not None:
            await verify()
        await guard.store.aclose()

    async def in_a_thread() -> None:
        await asyncio.to_thread(guard.verified, PHONE)
        await asyncio.to_thread(heard)

    def heard() -> None:
        end = time.monotonic() + PATIENT
        while queue:
            assert time.monotonic() < end
            time.sleep(0.01)

    queue = guard.reports.queue
    assert queue is not None
    if loop == "that runs":
        asyncio.run(assess_and(in_a_thread))
    else:
        if loop == "that has ended":
            asyncio.run(assess_and(None))
        guard.verified(PHONE)
        heard()

    async def known() -> bool:
        async with Guard(policy, valkey_url, networks=UnknownNetworks()) as other:
            return (await other.assess(other.attempt(PHONE))).known

    assert asyncio.run(known())
    LOOP.submit(guard.aclose()).result(PATIENT)


async def test_threads_and_the_event_loop_lose_nothing_to_each_other(shop: Shop) -> None:
    """Many threads queue while the loop delivers: each outcome is told, and nothing raises."""
    queue = shop.guard.reports.queue
    assert queue is not None
    queue._wakes, told = True, set[str]()
    phones = [f"+4474000{n:05}" for n in range(400)]

    async def settlements(outcome: QueuedOutcome) -> list[Settlement]:
        assert isinstance(outcome, Verified)
        told.add(outcome.phones[0].e164)
        await asyncio.sleep(0)
        return []

    queue.teller.settlements = settlements  # type: ignore[method-assign]
    with ThreadPoolExecutor(8) as pool:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(pool, shop.guard.verified, n) for n in phones))
    await shop.guard.settled()
    assert told == set(phones)


def test_a_simulation_waits_for_the_next_decision(name: str, valkey_url: str) -> None:
    """It has to come out the same every time: no thread delivers what a synchronous view says."""
    shop = Shop(valkey_url, name)

    async def assess(number: int) -> bool:
        attempt = make_attempt(f"+44740000{number:04}", price=PRICE, at=shop.clock())
        decision: Decision = await shop.guard.assess(attempt)
        await shop.guard.settled()
        return decision.allowed

    async def visit(*numbers: int) -> list[bool]:
        found = [await assess(number) for number in numbers]
        await shop.guard.aclose()
        return found

    assert asyncio.run(visit(1, 2, 3)) == [True, True, False]
    thread = threading.Thread(target=shop.guard.verified, args=("+447400000001",))
    thread.start()
    thread.join()
    assert asyncio.run(visit(4, 5)) == [False, True]


async def test_the_queue_is_bounded(shop: Shop) -> None:
    """While the store is away for long, the oldest outcomes are forgotten."""
    assert shop.guard.reports.queue is not None
    queue = shop.guard.reports.queue
    for number in range(CAPACITY + 10):
        queue.waiting[number] = Listen(None)
        if number >= CAPACITY:
            del queue.waiting[number]
            queue.add(Flow(str(number), make_attempt().phone, None))
    assert len(queue) == CAPACITY
    assert queue.lost == 10
    assert min(each for each in queue.waiting if isinstance(each, int)) == 10
    queue.waiting.clear()


class Slow(MemoryStore):
    """Takes its time with outcomes, and notes them."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []
        self.gate = asyncio.Event()

    async def decide(self, question: Question) -> Any:
        return await super().decide(question)

    async def settle(self, settlements: Any) -> int:
        await self.gate.wait()
        found: list[Settlement] = list(settlements)
        self.told += [settlement.outcome for settlement in found]
        return len(found)


async def test_no_reply_waits_for_an_outcome_beyond_the_deadline() -> None:
    """The store takes its time; a hundred failures are told in a few trips."""
    store, app = Slow(), App()
    policy = Policy(
        send="/otp/send", settled=True, rules=[Credit(lines={"country": 1e5})], deadline=0.001
    )
    guard = Guard(policy, store, networks=UnknownNetworks())
    middleware = PumpGuardMiddleware(app, guard=guard)
    app.status = 503
    for number in range(100):
        assert (await ask(middleware, f"+44740000{number:04}")).status == 503
    assert store.told == []
    store.gate.set()
    await guard.settled()
    assert store.told == ["failed"] * 100


@pytest.mark.parametrize("where", ["redeem", "settle"])
async def test_a_store_with_a_bug_loses_an_outcome_and_says_so(
    where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is not asked again and again; the next outcome is told."""
    guard = Guard(Policy(send="/s", settled=True, rules=[Credit(lines={"country": 1.0})]))

    async def broken(*_: object) -> None:
        raise RuntimeError("a bug")

    decision = await guard.assess(guard.attempt(PHONE))
    with monkeypatch.context() as patched:
        patched.setattr(guard.store, where, broken)
        guard.verified(PHONE)
        guard.settle(decision, "not_sent")
        await guard.settled()
    assert "PG023 could not record a message outcome; it is lost" in caplog.text
    assert guard.reports.queue is not None
    lost = guard.reports.queue.lost
    assert lost >= 1
    guard.verified(PHONE)
    await guard.settled()
    assert guard.reports.queue.lost == lost
    await guard.aclose()
