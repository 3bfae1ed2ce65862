"""What gathers and is done later, behind replies."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from pumpguard.background import Later

SHORT, NEVER = 0.01, 3_600.0

REQUEST = ContextVar("REQUEST", default="none")


async def test_what_is_asked_for_many_times_is_done_once() -> None:
    """And again, when it is asked for anew."""
    done = asyncio.Semaphore(0)
    calls: list[str] = []

    async def work() -> None:
        calls.append(REQUEST.get())
        done.release()

    later = Later(SHORT, work)
    REQUEST.set("a request's own")
    assert later.soon()
    assert later.soon()
    assert calls == []  # the one who asks does not wait
    await done.acquire()
    await later.done()
    assert calls == ["none"]  # it is no part of that request
    later.soon()
    await done.acquire()
    assert len(calls) == 2


async def test_at_the_end_what_has_begun_is_waited_for_and_nothing_else_begins() -> None:
    """Who closes does what is left itself."""
    calls: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0)
        calls.append("done")

    later = Later(NEVER, work)
    later.soon()
    await later.done()
    assert calls == []
    later.now()
    await later.done()
    assert calls == ["done"]


def test_without_an_event_loop_nothing_is_planned_and_another_loop_plans_anew() -> None:
    """As in a worker that makes a loop for each of its jobs."""
    done: list[asyncio.Event] = []

    async def work() -> None:
        done.pop().set()

    later = Later(SHORT, work)
    assert not later.soon()

    async def ask() -> None:
        assert later.soon()

    asyncio.run(ask())  # the loop ends before its time has come

    async def ask_and_wait() -> None:
        done.append(reached := asyncio.Event())
        assert later.soon()
        await reached.wait()

    asyncio.run(ask_and_wait())
    assert not done
