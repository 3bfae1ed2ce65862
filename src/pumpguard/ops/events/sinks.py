"""Where events go: a stream, lines of JSON, the log, or any function."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

from pumpguard.config import require
from pumpguard.errors import StoreError
from pumpguard.guard import Guard
from pumpguard.ops.events.fields import Event
from pumpguard.store.in_front import behind
from pumpguard.store.inspected import InspectedStore
from pumpguard.store.stream import EventStream

KEPT = 10_000
"""Events in the stream: with the default chain some 1.3 kB each."""


class Batch:
    """The events of one tick: each as one line of JSON, in UTF-8, and as text or objects where a
    sink wants them."""

    def __init__(self, encoded: Sequence[bytes]) -> None:
        self.encoded = encoded

    @cached_property
    def lines(self) -> list[str]:
        """Each event as text."""
        return [line.decode() for line in self.encoded]

    @cached_property
    def events(self) -> list[Event]:
        """Each event as objects within objects."""
        return [json.loads(line) for line in self.encoded]


class Sink:
    """Takes batches of events, one after the other; what it raises loses the batch. It may take its
    time: only later events wait."""

    name = "a sink"

    async def write(self, batch: Batch) -> None:
        """Take a batch."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """No more will come."""


class Stream(Sink):
    """The guard's store: a capped stream that ``pumpguard tail`` and ``pumpguard why`` read."""

    name = "the stream"

    def __init__(self, guard: Guard, kept: int = KEPT) -> None:
        require(kept >= 1, "events.kept", "at least 1", kept)
        self.stream, self._kept = stream_of(guard), kept

    async def write(self, batch: Batch) -> None:
        await self.stream.append(batch.encoded, self._kept)


class Output(Sink):
    """Lines of JSON to standard output, or wherever text may be written."""

    name = "the output"

    def __init__(self, output: TextIO | None = None) -> None:
        self._output = output

    async def write(self, batch: Batch) -> None:
        await asyncio.to_thread(self._print, "\n".join([*batch.lines, ""]))

    def _print(self, text: str) -> None:
        output = self._output or sys.stdout
        output.write(text)
        output.flush()


class File(Sink):
    """Lines of JSON in a file that is renamed to ``….1`` when it is full (``max_bytes``), ``….1``
    to ``….2``, and so on; ``backups`` are kept. Each process needs a file of its own."""

    name = "the file"

    def __init__(self, path: str | Path, max_bytes: int = 100_000_000, backups: int = 5) -> None:
        self._handler = RotatingFileHandler(
            path, maxBytes=max_bytes, backupCount=backups, encoding="utf-8", delay=True
        )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    async def write(self, batch: Batch) -> None:
        await asyncio.to_thread(self._emit, batch.lines)

    async def aclose(self) -> None:
        self._handler.close()

    def _emit(self, lines: Sequence[str]) -> None:
        for line in lines:
            record = logging.LogRecord("", logging.INFO, "", 0, line, None, None)
            if self._handler.shouldRollover(record):
                self._handler.doRollover()
            if self._handler.stream is None:
                self._handler.stream = self._handler._open()
            self._handler.stream.write(line + "\n")
        if self._handler.stream is not None:
            self._handler.stream.flush()


class Log(Sink):
    """Each event as a line of the logger ``pumpguard.events``, its fields in ``extra``: dotted,
    such as ``event.action``, so that no field of the log's own is hidden."""

    name = "the log"

    def __init__(self, logger: str = "pumpguard.events") -> None:
        self._logger = logging.getLogger(logger)

    async def write(self, batch: Batch) -> None:
        for event in batch.events:
            about = event["event"]
            reference = about.get("reference", "")
            self._logger.info("%s %s", about["action"], reference, extra=flat(event))


class Call(Sink):
    """A function that takes one event, in the event loop."""

    name = "a function"

    def __init__(self, function: Callable[[Event], object]) -> None:
        self._function = function

    async def write(self, batch: Batch) -> None:
        for event in batch.events:
            self._function(event)


def stream_of(guard: Guard) -> EventStream:
    """The stream of a guard's store. Raises `StoreError` for a store that has none."""
    store = behind(guard.store)
    if not isinstance(store, InspectedStore):
        raise StoreError(f"{type(store).__name__} has no stream")
    return store.stream


def flat(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event with dotted names: ``{"event.action": "block", …}``."""

    def leaves(value: object, path: str) -> Iterator[tuple[str, object]]:
        if isinstance(value, Mapping) and value:
            for name, inner in value.items():
                yield from leaves(inner, f"{path}.{name}" if path else name)
        else:
            yield path, value

    return dict(leaves(event, ""))
