"""Events are written behind the reply, together, and what finds no room is counted."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from pumpguard import Guard, Policy
from pumpguard.errors import PolicyError, StoreError
from pumpguard.ops.events import Event, Events, File, Log, Output, Sink, Stream
from pumpguard.ops.events.sinks import Batch
from pumpguard.store.base import Store
from pumpguard.testing import FakeClock
from tests.asgi import PHONE, ask
from tests.conftest import PATIENT
from tests.otp_app import Outbox, guarded, one_per_minute, otp_app

OTHER = "+447400123457"


def guard(store: str | Store = "memory://", **settings: Any) -> Guard:
    """One message per number and minute."""
    return Guard(Policy(send="/otp/send", rules=one_per_minute(), **settings), store)


async def some_events(made: Guard) -> None:
    """One is sent, one refused."""
    for _ in range(2):
        await made.assess(made.attempt(PHONE, "81.2.69.142"))


async def test_one_event_per_decision_with_the_answer() -> None:
    """The reference in the reply is that of the event."""
    app, events = guarded(otp_app(Outbox())), list[Event]()
    writer = Events(app.guard, events.append)
    replies = [await ask(app) for _ in range(2)]
    assert events == []  # nothing was written on the way of a request
    await writer.flush()
    assert [each["http"]["response"]["status_code"] for each in events] == [202, 429]
    assert events[1]["event"]["reference"] == replies[1].json["reference"]
    await app.guard.aclose()


async def test_it_writes_by_itself_and_together() -> None:
    """A tick after the first one."""
    made, batches = guard(), list[int]()
    written = asyncio.Event()

    class Counts(Sink):
        async def write(self, batch: Batch) -> None:
            batches.append(len(batch.events))
            written.set()

    Events(made, Counts(), tick=0.01)
    await some_events(made)
    await asyncio.wait_for(written.wait(), PATIENT)
    assert batches == [2]
    await made.aclose()


async def test_what_finds_no_room_is_dropped_counted_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In the log once, and by an event."""
    made, events = guard(), list[Event]()
    writer = Events(made, events.append, capacity=1)
    await some_events(made)
    await some_events(made)
    assert writer.dropped == 3
    await made.aclose()
    assert [each["event"]["action"] for each in events] == ["allow", "dropped"]
    assert events[1]["pumpguard"]["dropped"] == 3
    assert caplog.text.count("PG110") == 1


async def test_a_sink_that_fails_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """Its events are counted as dropped."""

    class Fails(Sink):
        async def write(self, batch: Batch) -> None:
            raise OSError

    made, events = guard(), list[Event]()
    writer = Events(made, Fails(), events.append)
    await some_events(made)
    await made.aclose()
    assert len(events) == 2
    assert writer.dropped == 2
    assert "PG110" in caplog.text


async def test_a_stream_in_the_store(valkey_url: str, name: str) -> None:
    """Where all processes write to, and the command line reads from."""
    made = guard(valkey_url, name=name, deadline=5.0)
    stream = Stream(made)
    Events(made, stream)
    await some_events(made)
    await made.aclose()
    entries = await stream.stream.last(10)
    actions = [json.loads(entry.event)["event"]["action"] for entry in entries]
    assert actions == ["throttle", "allow"]
    await made.store.aclose()


async def test_a_store_that_is_away_costs_no_request_anything() -> None:
    """The events are lost, and counted."""
    made = guard("redis://127.0.0.1:1/0", on_store_failure="open")
    writer = Events(made, Stream(made))
    assert (await made.assess(made.attempt(PHONE))).degraded
    await writer.flush()
    assert writer.dropped == 1
    await made.aclose()


async def test_lines_of_json_in_a_file_that_rotates(tmp_path: Path) -> None:
    """The newest in the file itself."""
    path = tmp_path / "events.jsonl"
    made = guard()
    writer = Events(made, File(path, max_bytes=1_000, backups=2))
    for _ in range(5):
        await some_events(made)
        await writer.flush()
    await made.aclose()
    files = sorted(os.listdir(tmp_path))
    assert files == ["events.jsonl", "events.jsonl.1", "events.jsonl.2"]
    for file in files:
        with open(tmp_path / file, encoding="utf-8") as lines:  # noqa: ASYNC230 - a test may wait
            assert [json.loads(line)["event"]["provider"] for line in lines]


async def test_lines_of_json_on_an_output() -> None:
    """One event, one line."""
    made, output = guard(), io.StringIO()
    Events(made, Output(output))
    await some_events(made)
    await made.aclose()
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    assert [each["event"]["action"] for each in lines] == ["allow", "throttle"]


async def test_the_log_with_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Under dotted names, as structlog and JSON formatters pass them on."""
    made = guard()
    Events(made, Log())
    with caplog.at_level(logging.INFO, "pumpguard.events"):
        await some_events(made)
        await made.aclose()
    said = [each for each in caplog.records if each.name == "pumpguard.events"]
    assert [each.__dict__["event.action"] for each in said] == ["allow", "throttle"]
    assert said[1].getMessage() == f"throttle {said[1].__dict__['event.reference']}"


async def test_orders_and_outcomes_too() -> None:
    """By the same guard, in the order in which they happened."""
    made, events = Guard(Policy(send="/otp/send", settled=True), clock=FakeClock()), list[Event]()
    Events(made, events.append)
    await made.assess(made.attempt(PHONE))
    made.verified(PHONE)
    await made.settled()
    await made.overrides.deny("prefix", "+44740012", author="ann", seconds=60)
    await made.aclose()
    actions = [each["event"]["action"] for each in events]
    assert actions == ["allow", "verified", "deny"]


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"addresses": "none"}, "events.addresses"),
        ({"numbers": "masked"}, "events.numbers"),
        ({"capacity": 0}, "events.capacity"),
        ({"tick": 0.0}, "events.tick"),
    ],
)
async def test_wrong_settings_are_refused(settings: dict[str, Any], path: str) -> None:
    """By their name."""
    with pytest.raises(PolicyError, match=path):
        Events(guard(), print, **settings)
    with pytest.raises(PolicyError, match=r"events\.sinks"):
        Events(guard())


async def test_a_store_of_ones_own_has_no_stream() -> None:
    """It is said at once."""

    class Own:
        overrides = Guard(Policy(send="/s")).store.overrides

    made = guard()
    made.store = Own()  # type: ignore[assignment]
    with pytest.raises(StoreError, match="no stream"):
        Stream(made)
