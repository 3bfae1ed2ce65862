"""The stream of events: capped, read backwards and onwards."""

from __future__ import annotations

from pumpguard.store.scripted import ScriptStore
from pumpguard.store.stream import AT_ONCE


async def test_events_are_read_backwards_and_onwards(store: ScriptStore) -> None:
    """The newest first, page by page; or what has come since the last look."""
    stream = store.stream
    await stream.append([b"1", b"2", b"3"], 100)
    newest = await stream.last(2)
    assert [entry.event for entry in newest] == [b"3", b"2"]
    assert [entry.event for entry in await stream.last(2, newest[-1].id)] == [b"1"]
    assert await stream.after(newest[0].id, 10) == []
    await stream.append([b"4"], 100)
    assert [entry.event for entry in await stream.after(newest[-1].id, 10)] == [b"3", b"4"]
    assert [entry.event for entry in await stream.after("0", 1)] == [b"1"]


async def test_about_so_many_are_kept(store: ScriptStore) -> None:
    """Redis cuts whole nodes of its list, of a hundred by default."""
    await store.stream.append([b"x"] * (2 * AT_ONCE + 1), 200)
    assert 200 <= len(await store.stream.last(5_000)) <= 300
