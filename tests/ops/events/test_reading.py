"""Events are read back from where they were written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pumpguard.ops.events import reading
from pumpguard.ops.events.fields import Event
from pumpguard.ops.events.reading import FileSource, StreamSource, Wanted, last
from pumpguard.store.stream import MemoryStream
from tests.conftest import PATIENT


def event(action: str, country: str = "GB", rule: str = "limit") -> Event:
    """The little of an event that is filtered by."""
    return {
        "event": {"action": action},
        "rule": {"name": rule},
        "pumpguard": {"number": {"country": country}, "findings": [{"rule": "other"}]},
    }


def lines(*events: Event) -> str:
    """Each in a line."""
    return "".join(json.dumps(each) + "\n" for each in events)


@pytest.mark.parametrize(
    ("wanted", "is_wanted"),
    [
        (Wanted(), True),
        (Wanted(action="block"), True),
        (Wanted(action="allow"), False),
        (Wanted(country="GB", rule="limit"), True),
        (Wanted(country="FR"), False),
        (Wanted(rule="other"), True),
        (Wanted(rule="none"), False),
        (Wanted(reference="7Q3K-9XDM"), False),
    ],
)
def test_what_is_wanted(wanted: Wanted, is_wanted: bool) -> None:
    """All that is set has to fit."""
    assert wanted(event("block")) is is_wanted


async def test_the_newest_of_a_stream_first() -> None:
    """Page by page."""
    stream = MemoryStream()
    count = reading.PAGE + 3
    await stream.append([json.dumps(event(str(i))).encode() for i in range(count)], 10_000)
    found = await last(StreamSource(stream), Wanted(), count + 1)
    assert [each["event"]["action"] for each in found] == [str(i) for i in reversed(range(count))]


async def test_the_newest_of_a_file_and_of_those_before_it(tmp_path: Path) -> None:
    """In the order of their numbers. A line that was cut off is passed over."""
    path = tmp_path / "events.jsonl"
    path.write_text(lines(event("c"), event("d")) + '{"event": {"act')
    path.with_name("events.jsonl.1").write_text(lines(event("b")))
    path.with_name("events.jsonl.10").write_text(lines(event("a")))
    found = await last(FileSource(path), Wanted(), 10)
    assert [each["event"]["action"] for each in found] == ["d", "c", "b", "a"]


async def test_those_that_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not those that were there; and on, when the file is renamed."""
    monkeypatch.setattr(reading, "POLL", 0.001)
    path = tmp_path / "events.jsonl"
    path.write_text(lines(event("before")))
    coming = FileSource(path).following()
    first = asyncio.ensure_future(anext(coming))
    await asyncio.sleep(0.01)
    with path.open("a") as file:
        file.write(lines(event("first")))
    assert await told(first) == "first"
    path.rename(tmp_path / "events.jsonl.1")
    path.write_text(lines(event("second")))
    assert await told(asyncio.ensure_future(anext(coming))) == "second"


async def test_those_that_come_in_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whatever process."""
    monkeypatch.setattr(reading, "POLL", 0.001)
    stream = MemoryStream()
    await stream.append([json.dumps(event("before")).encode()], 10)
    coming: AsyncIterator[Event] = StreamSource(stream).following()
    first = asyncio.ensure_future(anext(coming))
    await asyncio.sleep(0.01)
    await stream.append([json.dumps(event("first")).encode()], 10)
    assert await told(first) == "first"


async def told(event: asyncio.Future[Event]) -> str:
    """Its action, once it is there."""
    found: str = (await asyncio.wait_for(event, PATIENT))["event"]["action"]
    return found


async def test_a_line_that_is_being_written_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it comes in pieces; what is no event is passed over."""
    monkeypatch.setattr(reading, "POLL", 0.001)
    path = tmp_path / "events.jsonl"
    path.write_text("")
    coming = asyncio.ensure_future(anext(FileSource(path).following()))
    await asyncio.sleep(0.01)
    whole = lines(event("whole"))
    with path.open("a") as file:
        for piece in ('[1]\n{"event": 7}\n', whole[:9], whole[9:20]):
            file.write(piece)
            file.flush()
            await asyncio.sleep(0.01)
        assert not coming.done()
        file.write(whole[20:])
    assert await told(coming) == "whole"


async def test_none_is_none(tmp_path: Path) -> None:
    """As `pumpguard tail -f -n 0` asks: only what comes."""
    path = tmp_path / "events.jsonl"
    path.write_text(lines(event("a")))
    assert await last(FileSource(path), Wanted(), 0) == []
