"""One connection to one server: few writes, replies in order, one timer for all calls.

Calls of one tick of the event loop leave in one write, or in one per eight. A call that has no
reply in time fails, and its connection with it, for replies are told apart only by their order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import Any, NamedTuple, cast

from pumpguard.errors import StoreError
from pumpguard.store.transport.calls import (
    Ahead,
    Call,
    ErrorReply,
    Late,
    Lost,
    Unreachable,
    fail_in_turn,
    overdue,
)
from pumpguard.store.transport.endpoint import Endpoint, check_greetings
from pumpguard.store.transport.resp import NOTHING, Word, pack, reader

FLUSH_AFTER = 8
"""Commands that are written together at most: the server works on them while we go on."""

GRACE = 0.002
"""Seconds between a missed deadline and giving up. When it was this process that was late, replies
may be waiting in the socket; in this time the event loop reads them."""


class Deadlines(NamedTuple):
    """Seconds per call, and to connect: an attempt begun anew every 50 ms would never get through a
    slow resolver and a TLS handshake."""

    call: float
    connect: float = 1.0


class Connection(asyncio.Protocol):
    """Opens itself when made; calls wait until it is open, and fail if it breaks.

    ``pending`` holds the calls, oldest first. One whose caller was cancelled keeps its place, so
    that its reply is taken off the wire and dropped.
    """

    def __init__(
        self, endpoint: Endpoint, deadlines: Deadlines, on_gone: Callable[[Connection], None]
    ) -> None:
        self.pending: deque[Call] = deque()
        self._endpoint = endpoint
        self._deadline, self._connect_deadline = deadlines.call, max(deadlines)
        self._on_gone = on_gone
        self._loop = asyncio.get_running_loop()
        self._reader = reader()
        self._queue: list[bytes] = []  # until it is open, queue[i] is what pending[i] waits for
        self._greeted: deque[Call] = deque()
        self._failed: deque[tuple[Call, Callable[[], StoreError]]] = deque()
        self._expecting = self._greeted
        self._transport: asyncio.Transport | None = None
        self._open = self._gone = self._retired = self._paused = self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._on_trial: Call | None = None  # late already, and given `GRACE`
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self._opening = self._loop.create_task(self._connect())

    def ask(self, command: tuple[Word, ...], asking: bool = False) -> asyncio.Future[Any]:
        """Queue a command; the future is its reply, or a `StoreError`. With ``asking`` it is sent
        behind ``ASKING``, together or not at all: the node serves a key that is moving to it."""
        packed, future, queue = pack(command), self._loop.create_future(), self._queue
        made = monotonic()
        if asking:
            self.pending.append((cast(asyncio.Future[Any], Ahead(future)), made))
            queue.append(pack(("ASKING",)))
        self.pending.append((future, made))
        queue.append(packed)
        if len(queue) >= FLUSH_AFTER:
            self._flush()
        elif not self._flushing:
            self._flushing = True
            self._loop.call_soon(self._flush)
        if self._timer is None:
            self._timer = self._loop.call_later(self._deadline, self._check)
        return future

    def retire(self) -> None:
        """Close when the last reply is in; the owner sends no more calls."""
        self._retired = True
        if not self.pending:
            self._break("the connection is retired")

    def close(self) -> None:
        """Close at once; calls in flight fail."""
        self._break("the store was closed")

    async def aclose(self) -> None:
        """Close, and wait until the socket is closed."""
        self.close()
        await asyncio.wait({self._opening})
        if self._transport is not None:
            await asyncio.wait({self._closed})

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        # Write at once: with a larger limit uvloop buffers until its tick ends, and with a limit
        # of 0 asyncio's TLS takes an empty buffer for a full one.
        self._transport.set_write_buffer_limits(high=1)
        if self._gone:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        expecting, gets = self._expecting, self._reader.gets
        try:
            self._reader.feed(data)
            while (reply := gets()) is not NOTHING:
                future, _ = expecting.popleft()
                if future.done():  # its caller has gone
                    continue
                if isinstance(reply, StoreError):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except Exception as error:  # no RESP, or more replies than calls: nothing after it is safe
            self._break(f"what came is no reply ({type(error).__name__})")
        if self._retired and not self.pending:
            self._break("the connection is retired")

    def pause_writing(self) -> None:
        self._paused = True  # commands stay here, where their deadlines are watched

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._break(f"the connection ended ({type(error).__name__ if error else 'EOF'})")
        if not self._closed.done():
            self._closed.set_result(None)

    def _flush(self) -> None:
        self._flushing = False
        if self._queue and self._open and not self._paused and self._transport is not None:
            self._transport.write(b"".join(self._queue))
            self._queue.clear()

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(self._connect_deadline):
                await self._endpoint.connect(self)
                await self._greet()
        except ErrorReply as refusal:
            self._drop(partial(ErrorReply, refusal.reply, str(refusal)))
        except TimeoutError:
            self._break("no connection in time")
        except Exception as error:  # sockets, TLS, resolvers: each has its own
            self._break(f"no connection ({type(error).__name__}: {error})")
        else:
            self._start()

    async def _greet(self) -> None:
        """All greetings in one write; nothing else is sent before the server accepts them."""
        greetings = self._endpoint.greetings()
        replies = [self._loop.create_future() for _ in greetings]
        self._greeted.extend((reply, 0.0) for reply in replies)
        if self._transport is not None and greetings:
            self._transport.write(b"".join(map(pack, greetings)))
        outcomes = await asyncio.gather(*replies, return_exceptions=True)
        check_greetings(greetings, outcomes)

    def _start(self) -> None:
        if self._gone:
            return
        waiting = zip(self.pending, self._queue, strict=True)
        kept = [(call, packed) for call, packed in waiting if not call[0].done()]
        self.pending = self._expecting = deque(call for call, _ in kept)
        self._queue = [packed for _, packed in kept]
        self._open = True
        self._flush()
        if self._retired:
            self.retire()

    def _check(self) -> None:
        """On the timer: has the oldest call missed its deadline?"""
        self._timer = None
        if not self.pending:
            return
        oldest = self.pending[0]
        left = oldest[1] + self._deadline - monotonic()
        if left <= 0 and not self._open:
            left = self._stop_waiting()
        elif left <= 0 and self._on_trial is not oldest:
            self._on_trial, left = oldest, GRACE
        elif left <= 0:
            self._give_up()
        if self.pending:
            self._timer = self._loop.call_later(left, self._check)

    def _give_up(self) -> None:
        """Replies come in order: when one is missing, none behind it can be waited for."""
        text = f"{self._endpoint.where}: no reply within {self._deadline * 1000:.0f} ms"
        self._fail(overdue(self.pending, self._deadline), partial(Late, text))
        self._break("a call before this one had no reply in time")

    def _stop_waiting(self) -> float:
        """Fail calls that waited too long for a connection: they need not be sent any more."""
        late = overdue(self.pending, self._deadline)
        del self._queue[:late]
        self._fail(late, partial(Unreachable, f"{self._endpoint.where}: no connection in time"))
        return self.pending[0][1] + self._deadline - monotonic() if self.pending else 0.0

    def _break(self, text: str) -> None:
        fault = Lost if self._open else Unreachable
        self._drop(partial(fault, f"{self._endpoint.where}: {text}"))

    def _drop(self, fault: Callable[[], StoreError]) -> None:
        if self._gone:
            return
        self._gone = True
        self._on_gone(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()
        if self._opening is not asyncio.current_task(self._loop):
            self._opening.cancel()  # and the greetings with it
        self._queue.clear()
        self._fail(len(self.pending), fault)

    def _fail(self, count: int, fault: Callable[[], StoreError]) -> None:
        """Fail the oldest calls, behind those that are being told already."""
        begun = bool(self._failed)
        self._failed.extend((self.pending.popleft(), fault) for _ in range(count))
        if not begun:
            fail_in_turn(self._failed)
