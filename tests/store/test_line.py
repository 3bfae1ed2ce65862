"""Too many at once: some are decided about, some wait, the others are refused; nobody is lost."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Decision, Guard, Policy, PumpGuardMiddleware
from pumpguard.counters import Window
from pumpguard.counters.plan import Plan
from pumpguard.engine import decide
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.store.base import Answer, Question, Redemption
from pumpguard.store.full_cache import FullCache
from pumpguard.store.in_front import StoreInFront
from pumpguard.store.line import (
    IN_A_TURN,
    IN_FLIGHT,
    REMEMBERED,
    STRANGERS_TURN,
    WAITING,
    Crowded,
    Line,
)
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from pumpguard.testing import make_attempt
from tests.asgi import ask
from tests.conftest import PATIENT
from tests.otp_app import Outbox, otp_app
from tests.store.asking import KNOWN, TICKETS, ban
from tests.store.asking import ask as ask_store
from tests.store.transport.fleet import Server

CROWD = IN_FLIGHT + WAITING
"""Strangers that are decided about sooner or later."""


class Watched(StoreInFront):
    """A store that sees who comes to it, in which order, and how many at once."""

    def __init__(self, url: str, name: str) -> None:
        super().__init__(RedisStore(url, name=name, deadline=PATIENT))
        self.came: list[str] = []
        self.inside = self.most = 0

    async def decide(self, question: Question) -> Answer:
        self.came.append(question.subjects[0])
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            return await self.store.decide(question)
        finally:
            self.inside -= 1


@pytest.fixture
def server() -> Iterator[Server]:
    """A server of one's own."""
    with Server() as started:
        yield started


@contextmanager
def away(server: Server) -> Iterator[None]:
    """While it says nothing."""
    server.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal(signal.SIGCONT)


def about(phone: str, *, proved: bool = False) -> Question:
    """What a number asks for."""
    counters = (KNOWN, TICKETS, Window("limit", "phone", 100, 60))
    plan = Plan(counters, [True] * 3, reports=False, proved=proved)
    return Question(plan, tuple(phone for _ in plan.groups), ticket=b"1234", calling_code="44")


async def begun(*tasks: asyncio.Task[Answer]) -> None:
    """Let these come as far as they can without the server."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert tasks


def asked(cache: FullCache, *phones: str, proved: bool = False) -> list[asyncio.Task[Answer]]:
    """Questions that are asked at once."""
    return [asyncio.create_task(cache.decide(about(each, proved=proved))) for each in phones]


async def test_so_many_are_in_flight_so_many_wait_and_the_others_are_refused(
    server: Server, name: str
) -> None:
    """At once, without a question; and when the server answers, all who waited are decided."""
    store = Watched(server.url, name)
    cache = FullCache(store)
    await cache.decide(about("first"))
    with away(server):
        crowd = asked(cache, *(f"{n}" for n in range(CROWD + 80)))
        await begun(*crowd)
        refused = [each for each in crowd if each.done()]
        assert len(refused) == 80
        assert all(isinstance(each.exception(), Crowded) for each in refused)
        assert store.inside == IN_FLIGHT
    answers = await asyncio.gather(*crowd[:CROWD])
    assert all(answer.admitted for answer in answers)
    assert store.most == IN_FLIGHT
    assert store.came == ["first", *(f"{n}" for n in range(CROWD))]
    await cache.aclose()


async def test_customers_and_proof_go_first(server: Server, name: str) -> None:
    """Of numbers that this process has seen verify, or of which the store has said so; also when
    no stranger can wait any more."""
    store = Watched(server.url, name)
    cache = FullCache(store)
    for phone in ("customer", "old customer"):
        await cache.decide(about(phone))
    await cache.redeem(Redemption("customer", KNOWN, TICKETS, calling_code="44"))
    await store.redeem(Redemption("old customer", KNOWN, TICKETS, calling_code="44"))
    assert (await cache.decide(about("old customer"))).known
    with away(server):
        strangers = asked(cache, *(f"{n}" for n in range(CROWD)))
        await begun(*strangers)
        store.came.clear()
        first = asked(cache, "customer", "old customer")
        first += asked(cache, "somebody", proved=True)
        await begun(*first)
        assert not any(each.done() for each in first)
    assert all(await asyncio.gather(*first))
    assert store.came[:3] == ["customer", "old customer", "somebody"]
    await asyncio.gather(*strangers)
    await cache.aclose()


async def test_nobody_waits_for_ever(server: Server, name: str) -> None:
    """One place in four is a stranger's, however many go first; and those are bounded too."""
    store = Watched(server.url, name)
    cache = FullCache(store)
    await cache.decide(about("first"))
    with away(server):
        inside = asked(cache, *(f"{n}" for n in range(IN_FLIGHT)))
        await begun(*inside)
        store.came.clear()
        strangers = asked(cache, *(f"stranger {n}" for n in range(WAITING)))
        proved = asked(cache, *(f"proved {n}" for n in range(WAITING + 1)), proved=True)
        await begun(*strangers, *proved)
        assert isinstance(proved.pop().exception(), Crowded)
    await asyncio.gather(*inside, *strangers, *proved)
    turns = [who.startswith("stranger") for who in store.came[: 4 * STRANGERS_TURN]]
    assert turns == [False, False, False, True] * STRANGERS_TURN
    await cache.aclose()


async def test_shards_have_lines_of_their_own(server: Server, name: str) -> None:
    """One that stands still keeps nobody from another."""
    cache = FullCache(Watched(server.url, name), shards=64)
    with away(server):
        crowd = asked(cache, *(f"{n}" for n in range(CROWD)))
        await begun(*crowd)
        elsewhere = about("another")
        elsewhere.calling_code = "994"
        other = asyncio.create_task(cache.decide(elsewhere))
        await begun(other)
        assert not other.done()
    assert (await other).admitted
    await asyncio.gather(*crowd)
    await cache.aclose()


async def test_whoever_is_banned_is_refused_in_any_crowd() -> None:
    """A ban that is no longer fresh stands where the store is not asked."""
    cache, banned = FullCache(MemoryStore()), ban(after="number", base=60)
    await ask_store(cache, banned, refused=True, refused_by=frozenset({"number"}))
    line = cache._line("")
    line.inside = IN_FLIGHT
    waiting = [asyncio.ensure_future(line.wait(about(f"{n}"))) for n in range(WAITING)]
    await asyncio.sleep(0)
    answer = await ask_store(cache, banned, at=30)
    assert answer.recalled
    assert not answer.admitted
    with pytest.raises(Crowded):
        await ask_store(cache, ban(after="number", subject="b"), at=30)
    for each in waiting:
        each.cancel()


def guarded(
    store: str | FullCache, on_decision: Callable[[Decision], None] | None = None, **more: Any
) -> Guard:
    """A guard with a limit that nobody reaches."""
    rule = RateLimit(name="limit", by="phone", limits="100/hour")
    policy = Policy(send="/otp/send", rules=[rule], deadline=PATIENT, **more)
    return Guard(policy, store, networks=UnknownNetworks(), on_decision=on_decision)


@pytest.mark.parametrize("otherwise", ["local", "open", "closed"])
async def test_a_crowd_is_told_to_come_again(
    server: Server,
    name: str,
    otherwise: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By 429 and in a second, however the guard decides without a store: an attacker must not get
    through because he is many. The operator hears of it once, and can count it."""
    # Else who has heard nothing for half a second, on a slow machine, asks for overrides first.
    monkeypatch.setattr(decide, "MAX_AGE", 60.0)
    decisions: list[Decision] = []
    guard = guarded(
        FullCache(Watched(server.url, name)), decisions.append, on_store_failure=otherwise
    )
    app, more = PumpGuardMiddleware(otp_app(Outbox()), guard=guard), 40
    assert (await ask(app)).status == 202
    with away(server):
        crowd = [
            asyncio.create_task(ask(app, f"+44740{n * 97_531 % 10**7:07}"))
            for n in range(CROWD + more)
        ]
        while len([each for each in crowd if each.done()]) < more:  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)
    replies = await asyncio.gather(*crowd)
    assert [each.status for each in replies].count(202) == CROWD
    refused = [each for each in replies if each.status != 202]
    assert {(each.status, each.headers["retry-after"]) for each in refused} == {(429, "1")}
    assert all(each.is_problem for each in refused)
    said = [each for each in decisions if not each.allowed]
    assert [each.findings[0].code for each in said] == ["OVERLOADED"] * more
    assert not any(each.degraded for each in decisions)
    assert guard.observations.snapshot()["overloaded"] == more
    assert caplog.text.count("PG091") == 1
    await guard.aclose()


async def test_where_nothing_is_enforced_nobody_is_refused(server: Server, name: str) -> None:
    """A posture that only observes lets the crowd through."""
    guard = guarded(FullCache(Watched(server.url, name)))
    await guard.overrides.posture("observe", author="ops")
    assert (await guard.assess(make_attempt())).allowed
    with away(server):
        crowd = [
            asyncio.create_task(guard.assess(make_attempt(f"+44740{n * 97_531 % 10**7:07}")))
            for n in range(CROWD + 40)
        ]
        while not any(each.done() for each in crowd):  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)
    assert all(each.action is Action.ALLOW for each in await asyncio.gather(*crowd))
    await guard.aclose()


async def test_a_process_that_decides_itself_does_so_a_few_times_a_turn() -> None:
    """Whoever shares its event loop comes by in between; nobody is lost, and too many are told."""
    store, turns = MemoryStore(), []
    crowd = [
        asyncio.create_task(store.decide(about(f"{n}"))) for n in range(IN_A_TURN + WAITING + 9)
    ]
    while not all(each.done() for each in crowd):
        before = sum(each.done() and not each.exception() for each in crowd)
        await asyncio.sleep(0)
        turns.append(sum(each.done() and not each.exception() for each in crowd) - before)
    assert max(turns) == IN_A_TURN
    assert sum(turns) == IN_A_TURN + WAITING
    assert all(isinstance(each.exception(), Crowded) for each in crowd[-9:])


async def test_so_it_does_where_there_is_no_store() -> None:
    """What it decides in the store's place, it decides as many times a turn."""
    guard = guarded("redis://127.0.0.1:1")
    crowd = [
        asyncio.create_task(guard.assess(make_attempt(f"+44740{n * 97_531 % 10**7:07}")))
        for n in range(CROWD)
    ]
    turns = []
    while not all(each.done() for each in crowd):
        before = sum(each.done() for each in crowd)
        await asyncio.sleep(0)
        turns.append(sum(each.done() for each in crowd) - before)
    assert max(turns) <= IN_A_TURN
    assert all(each.result().degraded and each.result().allowed for each in crowd)
    await guard.aclose()


STEPS = st.lists(st.sampled_from(["stranger", "known", "leaves", "goes"]), max_size=120)


@given(STEPS)
def test_no_place_is_ever_lost(steps: list[str]) -> None:
    """Whoever comes, leaves, or goes away while waiting: never more inside than may be, nobody
    waits beside a free place, and in the end all are through."""
    asyncio.run(_play(steps))


async def _play(steps: list[str]) -> None:
    line, inside = Line(3), 0
    line.knows("known")
    waiting: list[asyncio.Task[None]] = []
    for step in steps:
        if step == "goes":
            if waiting:
                waiting.pop(0).cancel()
        elif step == "leaves":
            if inside:
                inside -= 1
                line.leave()
        elif line.waiting or line.inside >= 3:
            waiting.append(asyncio.create_task(line.wait(about(step))))
        else:
            line.inside += 1
            inside += 1
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        inside += sum(each.done() and not each.cancelled() for each in waiting)
        waiting = [each for each in waiting if not each.done()]
        assert line.inside == inside <= 3
        assert inside == 3 or not waiting
    while inside:
        inside -= 1
        line.leave()
        await asyncio.sleep(0)
        inside += sum(each.done() for each in waiting)
        waiting = [each for each in waiting if not each.done()]
    assert not waiting
    assert line.inside == line.waiting == 0


async def test_whoever_goes_as_it_gets_its_place_gives_it_back() -> None:
    """A client that hangs up in the same turn."""
    line = Line(1)
    line.inside = 1
    first, second = (asyncio.create_task(line.wait(about(each))) for each in "ab")
    await asyncio.sleep(0)
    line.leave()
    first.cancel()
    await asyncio.wait({first, second})
    assert first.cancelled()
    assert second.result() is None
    assert line.inside == 1


def test_what_it_knows_is_bounded() -> None:
    """The number that was heard of first is forgotten first."""
    line = Line(1)
    for n in range(REMEMBERED + 1):
        line.knows(f"{n}")
        line.knows("often")
    assert len(line._known) == REMEMBERED
    assert {"often", f"{REMEMBERED}"} < line._known.keys()
