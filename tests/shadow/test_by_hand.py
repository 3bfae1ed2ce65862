"""A decision that the app hands over itself is for as many messages as were decided about."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from pumpguard import Decision, Guard, Policy, sender
from pumpguard.errors import MessageNotSent
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.shadow import open_requests
from pumpguard.shadow.carry import current_decision
from pumpguard.shadow.open_requests import LINGER, OPEN
from pumpguard.testing import FakeClock
from tests.asgi import PHONE, ask
from tests.otp_app import guarded
from tests.shadow.site import SHADOWED, Site, quiet

ONCE = RateLimit(name="limit", by="phone", limits="1/hour")
USER = "user-7"
"""What the app's function is given in place of a number."""


def guard(undecided: str) -> Guard:
    """One that lets a number have one message an hour."""
    policy = Policy(send="/otp/send", undecided=undecided, rules=(ONCE,), deadline=10)  # type: ignore[arg-type]
    return Guard(policy, clock=FakeClock(), networks=UnknownNetworks())


class Worker:
    """Sends in a thread that knows no request, by the decision that it is handed."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.fails = False
        self.pool = ThreadPoolExecutor(1)
        self.send: Any = sender(self._send)

    def _send(self, to: str) -> str:
        if self.fails:
            raise ConnectionError("down")
        self.sent.append(to)
        return "queued"

    async def tries(self, decision: Decision | None, times: int, to: str = USER) -> int:
        """How many of these it sends."""
        before = len(self.sent)
        for _ in range(times):
            sending = self.pool.submit(self.send, to, pumpguard_decision=decision)
            try:
                await asyncio.wrap_future(sending)
            except (MessageNotSent, ConnectionError):
                continue
        return len(self.sent) - before


@pytest.mark.parametrize("to", [USER, PHONE])
@pytest.mark.parametrize(("undecided", "sent"), [("sent", 3), ("decided", 1), ("refused", 1)])
async def test_one_more_is_under_no_decision(undecided: str, sent: int, to: str) -> None:
    """Like one more by a token: it is sent, decided about (the number has had its message) or
    refused. Another decision about the number is for another message."""
    judges, worker = guard(undecided), Worker()
    decision = await judges.decide(judges.attempt(PHONE))
    assert await worker.tries(decision, 3, to) == sent
    assert await worker.tries(replace(decision), 1, to) == 1


async def test_a_decision_that_a_worker_has_made_is_for_one_message() -> None:
    """Of one who asks for itself, the guard that was asked decides about more."""
    judges, worker = guard("sent"), Worker()
    decision = await judges.assess(judges.attempt(PHONE))
    assert await worker.tries(decision, 3) == 1


@pytest.mark.parametrize("later", [0, LINGER + 1])
@pytest.mark.parametrize("first", ["in the request", "by hand"])
async def test_what_a_request_was_decided_about_is_counted_once(
    first: str, later: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the app has sent it in the request or by hand; also when it has answered, and after
    the minute for which others are known by their numbers."""
    worker, held = Worker(), list[Decision | None]()

    async def way(phone: str) -> object:
        held.append(current_decision())
        if first == "by hand":
            return await worker.tries(held[0], 1)
        return await asyncio.to_thread(worker.send, phone)

    site = guarded(Site(way).app, rules=(ONCE,))
    assert (await ask(site, PHONE)).status == 202
    now = time.monotonic()
    monkeypatch.setattr(OPEN, "_clock", lambda: now + later)
    assert len(worker.sent) == 1
    assert await worker.tries(held[0], 2) == 0
    with site.guard.resume(held[0]):
        for to in (USER, PHONE):
            with pytest.raises(MessageNotSent):
                await asyncio.to_thread(worker.send, to)


async def test_one_that_is_taken_up_late_is_sent() -> None:
    """A queue may be slow, and its function may know no number: the decision says whose it is."""
    worker, held = Worker(), list[Decision | None]()

    async def way(phone: str) -> object:
        held.append(current_decision())
        return None

    site = guarded(Site(way).app, rules=(ONCE,))
    await ask(site, PHONE)
    with site.guard.resume(held[0]):
        for answer in ("sent", "refused"):
            try:
                await asyncio.to_thread(worker.send, USER)
            except MessageNotSent:
                assert answer == "refused"
    assert worker.sent == [USER]


async def test_what_has_failed_may_be_tried_again() -> None:
    judges, worker = guard("refused"), Worker()
    decision = await judges.decide(judges.attempt(PHONE))
    worker.fails = True
    assert await worker.tries(decision, 2) == 0
    worker.fails = False
    assert await worker.tries(decision, 2) == 1


async def test_nested_guards_obey_the_strictest_by_hand_too() -> None:
    """Also where the guard around is it that shadows, whose decision the app then hands over."""
    for inner, outer in (((quiet,), (ONCE,)), ((ONCE,), (quiet,))):
        worker = Worker()

        async def way(phone: str, worker: Worker = worker) -> object:
            return await worker.tries(current_decision(), 1, phone)

        site = guarded(Site(way).app, rules=inner, name="inner")
        both = guarded(site, rules=outer, name="outer")
        assert [(await ask(both, phone)).status for phone in (PHONE, SHADOWED)] == [202, 202]
        assert worker.sent == [PHONE]


async def test_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten, and as new when it comes again."""
    monkeypatch.setattr(open_requests, "MAX_HELD", 2)
    judges, worker = guard("refused"), Worker()
    decisions = [await judges.decide(judges.attempt(f"+44740012345{n}")) for n in range(3)]
    assert [await worker.tries(decision, 1) for decision in decisions] == [1, 1, 1]
    assert [await worker.tries(decision, 1) for decision in reversed(decisions)] == [0, 0, 1]
