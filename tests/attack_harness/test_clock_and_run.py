from __future__ import annotations

import asyncio
import sys
from types import FrameType
from typing import Any

import pytest

from attack_harness.actors import Actor, Call, Reply, Start, Wait
from attack_harness.clock import MIDNIGHT, Agenda, hour_label
from attack_harness.run import play
from attack_harness.targets import InProcess, Message, Receive, Send

from .fake_app import FakeApp


class Recorder:
    """A target that notes every call and how many run at once."""

    def __init__(self, *, concurrent: bool = False) -> None:
        self.concurrent = concurrent
        self.calls: list[tuple[float, str]] = []
        self.running = self.most_at_once = 0

    async def call(self, call: Call, at: float) -> Reply:
        self.calls.append((at, call.path))
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        await asyncio.sleep(0)
        self.running -= 1
        return Reply(at, 200)


def caller(name: str, *waits: float) -> Actor:
    yield Call("GET", f"/{name}")
    for seconds in waits:
        yield Wait(seconds)
        yield Call("GET", f"/{name}")


def test_the_agenda_keeps_order_of_time_and_then_of_arrival() -> None:
    agenda = Agenda(Start(at, name, caller(name)) for at, name in [(2, "b"), (1, "a"), (2, "c")])
    assert [agenda.take()[2] for _ in range(3)] == ["a", "b", "c"]
    assert not agenda


def test_a_tick_takes_only_what_is_due_within_it() -> None:
    agenda = Agenda(Start(at, "s", caller("x")) for at in (0.26, 0.3, 0.49, 0.5))
    assert [turn[0] for turn in agenda.take_tick(0.25)] == [0.26, 0.3, 0.49]


def test_moments_of_later_days_say_so() -> None:
    assert hour_label(MIDNIGHT + 3_661) == "01:01:01"
    assert hour_label(MIDNIGHT + 2 * 86_400 + 3_661) == "2d 01:01:01"


async def test_calls_happen_in_order_of_simulated_time() -> None:
    target = Recorder()
    starts = [Start(10, "s", caller("slow", 5, 5)), Start(12, "s", caller("fast", 1, 1))]
    await play(target, starts)
    assert target.calls == [
        (10, "/slow"),
        (12, "/fast"),
        (13, "/fast"),
        (14, "/fast"),
        (15, "/slow"),
        (20, "/slow"),
    ]


async def test_in_process_nothing_ever_runs_at_once() -> None:
    target = Recorder()
    await play(target, [Start(1, "s", caller("x", 1)) for _ in range(20)])
    assert target.most_at_once == 1


async def test_over_sockets_one_tick_runs_at_once() -> None:
    target = Recorder(concurrent=True)
    await play(target, [Start(1, "s", caller("x")) for _ in range(20)])
    assert target.most_at_once == 20


async def test_the_watch_hears_time_passing() -> None:
    heard: list[float] = []
    await play(Recorder(), [Start(1, "s", caller("x", 2))], heard.append)
    assert heard == sorted(heard)
    assert {1, 3} <= set(heard)


async def test_an_actor_receives_the_reply_to_its_call() -> None:
    heard: list[Reply] = []

    def actor() -> Actor:
        heard.append((yield Call("POST", "/otp/send", {"phone": "+447700900123"}, "192.0.2.1")))
        heard.append((yield Wait(3)))

    async with InProcess(FakeApp()) as target:
        log = await play(target, [Start(100.0, "me", actor())])
    assert (heard[0].status, heard[0].json, heard[0].at) == (202, {"status": "sent"}, 100.0)
    assert heard[1].at == 103.0
    assert [(e.at, e.side, e.status) for e in log.exchanges] == [(100.0, "me", 202)]


async def test_the_lifespan_of_the_app_is_run() -> None:
    app = FakeApp()
    async with InProcess(app):
        assert app.lifespan == ["startup"]
    assert app.lifespan == ["startup", "shutdown"]


async def test_an_app_without_a_lifespan_is_no_problem() -> None:
    async def bare(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise NotImplementedError
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    async with InProcess(bare) as target:
        assert (await target.call(Call("GET", "/"), 1.0)).status == 204


async def test_a_failed_startup_is_an_error() -> None:
    async def broken(scope: Message, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    with pytest.raises(RuntimeError, match="no database"):
        await InProcess(broken).__aenter__()


async def test_headers_say_time_address_and_humanity() -> None:
    seen: list[dict[bytes, bytes]] = []
    clients: list[Any] = []

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            seen.append(dict(scope["headers"]))
            clients.append(scope["client"])
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})

    async with InProcess(app) as target:
        await target.call(Call("POST", "/", {}, "192.0.2.7", human=True), 1_700_000_000.125)
        await target.call(Call("GET", "/"), 2.0)
    assert seen[0][b"x-sim-time"] == b"1700000000.125"
    assert seen[0][b"x-forwarded-for"] == b"192.0.2.7"
    assert seen[0][b"x-sim-human"] == b"1"
    assert clients[0] == ("127.0.0.1", 1234)
    assert b"x-forwarded-for" not in seen[1]
    assert b"x-sim-human" not in seen[1]


async def test_a_call_in_process_costs_little_besides_the_app() -> None:
    """By the functions of Python that it calls, in whatever module."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await receive()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})

    call, called = Call("POST", "/otp/send", {"phone": "+447700900123"}, "192.0.2.1"), 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal called
        called += event == "call"

    async with InProcess(app) as target:
        await target.call(call, 1.0)
        before = sys.getprofile()
        sys.setprofile(note)
        try:
            await target.call(call, 1.0)
        finally:
            sys.setprofile(before)
    assert called < 30, called


def test_labels_are_hours_of_the_day() -> None:
    assert hour_label(MIDNIGHT + 5 * 3600 + 12) == "05:00:12"
