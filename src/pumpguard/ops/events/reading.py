"""Reads events back: from the stream of a fleet, or from a file of lines."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from os import SEEK_END, fstat
from os.path import samestat
from pathlib import Path
from typing import Any, Protocol

from pumpguard.errors import OverrideError
from pumpguard.ops.events.fields import Event
from pumpguard.store.stream import EventStream

PAGE = 500
"""Events in one reading of the stream."""

REFERENCE = re.compile(r"([0-9A-Z]{4})-?([0-9A-Z]{4})\Z")
MISREAD = str.maketrans("ILO", "110")

POLL = 1.0
"""Seconds between two looks for new events."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events: those with all that is set. ``country`` is the number's; ``rule`` is one that
    has found something, whether it decided or not."""

    action: str | None = None
    country: str | None = None
    rule: str | None = None
    reference: str | None = None

    def __call__(self, event: Event) -> bool:
        about: Event = event.get("pumpguard", {})
        said: Event = event["event"]
        rules = [each["rule"] for each in about.get("findings", ())] if self.rule else []
        return (
            (self.action is None or said.get("action") == self.action)
            and (self.country is None or about.get("number", {}).get("country") == self.country)
            and (self.rule is None or self.rule in (*rules, event["rule"].get("name")))
            and (self.reference is None or said.get("reference") == self.reference)
        )


class Source(Protocol):
    """Where events are read from."""

    def newest(self) -> AsyncIterator[Event]:
        """All that are kept, the newest first."""

    def following(self) -> AsyncIterator[Event]:
        """Those that come from now on; it does not end."""


class StreamSource:
    """The stream of a store. Raises `StoreError`."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    async def newest(self) -> AsyncIterator[Event]:
        before = ""
        while page := await self._stream.last(PAGE, before):
            for entry in page:
                yield json.loads(entry.event)
            before = page[-1].id

    async def following(self) -> AsyncIterator[Event]:
        last = await self._stream.last(1)
        after = last[0].id if last else "0"
        while True:
            for entry in await self._stream.after(after, PAGE):
                after = entry.id
                yield json.loads(entry.event)
            await asyncio.sleep(POLL)


class FileSource:
    """A file of lines, and those that it was renamed to. What is no event is passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def newest(self) -> AsyncIterator[Event]:
        for path in (self._path, *self._older()):
            lines = path.read_text("utf-8", "replace").splitlines()
            for event in _events(reversed(lines)):
                yield event

    async def following(self) -> AsyncIterator[Event]:
        at_end = True
        while True:
            with self._path.open(encoding="utf-8", errors="replace") as lines:
                if at_end:
                    lines.seek(0, SEEK_END)
                at_end = renamed = False
                begun = ""  # a line that is being written
                while not renamed:
                    renamed = not self._path.exists() or not samestat(
                        self._path.stat(), fstat(lines.fileno())
                    )
                    for part in iter(lines.readline, ""):
                        begun += part
                        if begun.endswith("\n"):
                            for event in _events(iter([begun])):
                                yield event
                            begun = ""
                    await asyncio.sleep(POLL)

    def _older(self) -> list[Path]:
        """``….1`` is the newest of them."""
        numbered = {
            int(path.suffix[1:]): path
            for path in self._path.parent.glob(f"{self._path.name}.*")
            if path.suffix[1:].isdecimal()
        }
        return [numbered[number] for number in sorted(numbered)]


async def last(source: Source, wanted: Wanted, count: int) -> list[Event]:
    """So many of the wanted events, the newest first."""
    found: list[Event] = []
    if count > 0:
        async for event in source.newest():
            if wanted(event):
                found.append(event)
                if len(found) >= count:
                    break
    return found


def reference(text: str) -> str:
    """A reference as events have it, however it was read out. Raises `OverrideError`."""
    found = REFERENCE.match(text.strip().upper().translate(MISREAD))
    if found is None:
        raise OverrideError("reference", "one such as 7Q3K-9XDM")
    return f"{found[1]}-{found[2]}"


async def refusal(source: Source, text: str) -> Event:
    """The event of a refusal, by its reference. Raises `OverrideError` where there is none."""
    spelt = reference(text)
    found = await last(source, Wanted(reference=spelt), 1)
    if not found and not await last(source, Wanted(), 1):
        none = "nobody writes events here by this policy's name (docs/events.md)"
        raise OverrideError("reference", f"one of an event; {none}")
    if not found:
        raise OverrideError("reference", f"one of an event; {spelt} is too old, or mistyped")
    return found[0]


def _events(lines: Iterator[str]) -> Iterator[Event]:
    for line in lines:
        try:
            event: Any = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and isinstance(event.get("event"), dict):
            yield event
