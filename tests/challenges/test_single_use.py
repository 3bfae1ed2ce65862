"""One solution, one message: on every store, in the one trip that decides."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from pumpguard import Action, Guard, PumpGuardMiddleware
from pumpguard.errors import StoreError
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit, SlidingBan
from pumpguard.rules.challenge import USED
from pumpguard.store.base import Answer, Question, Store
from pumpguard.store.embedded import EmbeddedServer
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import Reply, ask
from tests.challenges.solving import asks_everybody, easy, policy, solve, with_solution
from tests.conftest import PATIENT
from tests.otp_app import Outbox, otp_app

OTHER = "+447400123457"


class App:
    """An app that sends to nobody without proof, and what it has sent."""

    def __init__(self, store: str | Store = "memory://", **settings: Any) -> None:
        self.outbox = Outbox()
        self.policy = policy(**settings)
        self.guard = Guard(
            self.policy, store, challenge=easy(self.policy), networks=UnknownNetworks()
        )
        self.asgi = PumpGuardMiddleware(otp_app(self.outbox), guard=self.guard)

    async def solve(self, **scope: Any) -> str:
        return await solve(self.asgi, **scope)

    async def send(self, solution: str, **scope: Any) -> Reply:
        return await with_solution(self.asgi, solution, **scope)


async def test_fifty_uses_at_once_pass_once(store: Store, name: str) -> None:
    """Whatever the store."""
    app = App(store, name=name)
    solution = await app.solve()
    replies = await asyncio.gather(*(app.send(solution) for _ in range(50)))
    assert sorted(reply.status for reply in replies) == [202] + [403] * 49
    assert len(app.outbox.sent) == 1


async def test_fifty_uses_in_two_processes_pass_once(
    servers: dict[str, EmbeddedServer], name: str
) -> None:
    """Two guards that share nothing but the server and the secret."""
    stores = [RedisStore(servers["valkey"].url, name=name, deadline=PATIENT) for _ in range(2)]
    apps = [App(store, name=name) for store in stores]
    solution = await apps[0].solve()
    replies = await asyncio.gather(*(apps[i % 2].send(solution) for i in range(50)))
    assert sorted(reply.status for reply in replies) == [202] + [403] * 49
    for app in apps:
        await app.guard.aclose()


async def test_a_used_solution_is_answered_with_another_challenge() -> None:
    app = App()
    solution = await app.solve()
    assert (await app.send(solution)).status == 202
    again = await app.send(solution)
    assert again.status == 403
    assert again.json["type"].endswith("/challenge")
    assert again.json["challenge"]["challenge"]["signature"]


async def test_also_if_nothing_else_asks_for_proof() -> None:
    """Whoever shows one twice does something that no page of ours does."""
    app = App(rules=(RateLimit(name="limit", by="phone", limits="9/minute"),))
    attempt = make_attempt(proved=True, solution="one")
    assert (await app.guard.assess(attempt)).allowed
    again = await app.guard.assess(attempt)
    assert (again.action, [f.code for f in again.findings]) == (Action.CHALLENGE, [USED])
    assert not again.attempt.proved


async def test_what_is_refused_uses_nothing_up() -> None:
    """All or nothing: the limit that refused was not the client's proof."""
    app = App(rules=(asks_everybody, RateLimit(name="limit", by="network", limits="1/minute")))
    first, second = await app.solve(), await app.solve()
    assert (await app.send(first)).status == 202
    assert (await app.send(second)).status == 429
    later = App(app.guard.store, rules=(asks_everybody,))
    assert (await later.send(second)).status == 202


async def test_a_used_solution_charges_no_other_limit() -> None:
    limit = RateLimit(name="limit", by="network", limits="2/minute")
    app = App(rules=(asks_everybody, limit))
    first, second = await app.solve(), await app.solve()
    statuses = [(await app.send(said)).status for said in (first, first, first, second)]
    assert statuses == [202, 403, 403, 202]


async def test_a_used_solution_gives_no_strike() -> None:
    """It asks for proof like any challenge; a ban after it would hit who pressed twice."""
    ban = SlidingBan(strikes="1/hour", after=("asks_everybody",))
    app = App(rules=(asks_everybody, ban))
    solution = await app.solve()
    statuses = [(await app.send(solution)).status for _ in range(5)]
    assert statuses == [202] + [403] * 4
    assert (await app.send(await app.solve())).status == 202


async def test_one_trip_as_without() -> None:
    """Single use is one more counter in the same question."""

    class Counting(MemoryStore):
        asked = 0

        async def decide(self, question: Question) -> Answer:
            self.asked += 1
            return await super().decide(question)

    store = Counting()
    app = App(store)
    solution = await app.solve()
    assert store.asked == 0  # without proof, this policy has nothing to count
    await app.send(solution)
    assert store.asked == 1


async def test_each_solution_is_for_its_number() -> None:
    app = App()
    solution = await app.solve(phone=OTHER)
    assert (await app.send(solution)).status == 403
    assert (await app.send(solution, phone=OTHER)).status == 202


async def test_a_shard_has_the_whole_of_it(servers: dict[str, EmbeddedServer], name: str) -> None:
    """A limit of one cannot be shared out, and need not be: a solution is for one number."""
    store = RedisStore(servers["valkey"].url, name=name, deadline=PATIENT, shards=4)
    app = App(store, name=name, shards=4)
    solution = await app.solve()
    replies = await asyncio.gather(*(app.send(solution) for _ in range(20)))
    assert sorted(reply.status for reply in replies) == [202] + [403] * 19
    await store.aclose()


async def test_without_the_store_a_process_still_counts() -> None:
    """Each for itself: during an outage a solution is good once in every process."""

    class Away(MemoryStore):
        async def decide(self, question: Question) -> Answer:
            raise StoreError("away")

    app = App(Away(), workers=4)
    solution = await app.solve()
    statuses = [(await app.send(solution)).status for _ in range(3)]
    assert statuses == [202, 403, 403]


async def test_it_is_remembered_longer_than_it_is_good_for() -> None:
    """The clocks of servers need not agree to the second."""
    clock = FakeClock()
    asking = policy()
    guard = Guard(asking, clock=clock, challenge=easy(asking, clock=clock))
    once = make_attempt(proved=True, solution="one", at=clock())
    assert (await guard.assess(once)).allowed
    assert not (await guard.assess(replace(once, at=clock.advance(599)))).allowed
    assert (await guard.assess(replace(once, at=clock.advance(2)))).allowed


@pytest.mark.parametrize("solution", [None, "one"])
async def test_without_a_challenge_nothing_is_counted(solution: str | None) -> None:
    """An app that checks proofs itself says so, and how often is its own affair."""
    guard = Guard(policy(rules=(RateLimit(name="l", by="phone", limits="9/minute"),)))
    attempt = make_attempt(proved=True, solution=solution)
    assert [(await guard.assess(attempt)).allowed for _ in range(3)] == [True] * 3


async def test_a_proof_without_a_name_may_be_given_again() -> None:
    """Such as one of a challenge of one's own that answers yes or no."""
    asking = policy()
    guard = Guard(asking, challenge=easy(asking))
    attempt = make_attempt(proved=True)
    assert [(await guard.assess(attempt)).allowed for _ in range(3)] == [True] * 3


async def test_orders_stand_above_it() -> None:
    """Who is on the list of those always let through is, and under ``observe`` everybody is."""
    app = App()
    once = make_attempt(proved=True, solution="one")
    assert [(await app.guard.assess(once)).allowed for _ in range(2)] == [True, False]
    await app.guard.overrides.posture("observe", author="mike")
    assert (await app.guard.assess(once)).allowed
    await app.guard.overrides.posture("challenge_all", author="mike")
    assert (await app.guard.assess(once)).action is Action.CHALLENGE
    await app.guard.overrides.allow("number", once.phone.e164, author="mike")
    assert (await app.guard.assess(once)).allowed


async def test_requests_without_a_solution_are_asked(name: str) -> None:
    app = App(name=name)
    assert (await ask(app.asgi)).status == 403
