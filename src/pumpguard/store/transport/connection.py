"""One connection to one server: few writes, replies in order, one timer for all calls.

Calls of one tick of the event loop leave in one write, or in one per eight. What counts is what the
server owes: it is late when it has sent nothing for the whole deadline while calls waited for it,
and the deadline is counted in turns of the event loop (`pumpguard.turns`). A late call fails, and
its reply is dropped when it comes. A connection whose server stays late is given up.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from itertools import islice, takewhile
from typing import Any, cast

from pumpguard.errors import StoreError
from pumpguard.store.scripts import Word
from pumpguard.store.transport.calls import Ahead, Call, ErrorReply, Late, Lost, Unreachable
from pumpguard.store.transport.endpoint import Deadlines, Endpoint, check_greetings
from pumpguard.store.transport.resp import NOTHING, pack, reader
from pumpguard.turns import fail_in_turn, slices, within

FLUSH_AFTER = 8
"""Commands that are written together at most: the server works on them while we go on."""

LONGEST = 4
"""Deadlines that a call may take while the server answers others: a burst of 256 takes it 50 ms.
After twice as many, the connection is given up."""


class Connection(asyncio.Protocol):
    """Opens itself when made; calls wait until it is open, and fail if it breaks.

    ``pending`` holds the calls, oldest first. One whose caller was cancelled keeps its place, so
    that its reply is taken off the wire and dropped; so do late ones, in ``dropped``. ``first`` is
    sent with the greetings; ``on_silent`` is called when a call is late and nothing came meanwhile.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        deadlines: Deadlines,
        on_gone: Callable[[Connection], None],
        on_silent: Callable[[], None] = lambda: None,
        *first: tuple[Word, ...],
    ) -> None:
        self.pending: deque[Call] = deque()
        self._endpoint, self._first = endpoint, first
        self._deadline, self._connect_deadline = deadlines.call, max(deadlines)
        self._slices, self._slice_length = slices(self._deadline)
        self._on_gone, self._on_silent = on_gone, on_silent
        self._loop = asyncio.get_running_loop()
        self._reader = reader()
        self._queue: list[bytes] = []  # until it is open, queue[i] is what pending[i] waits for
        self._failed: deque[tuple[asyncio.Future[Any], Callable[[], StoreError]]] = deque()
        self._expecting = self._greeted = deque[Call]()
        self._transport: asyncio.Transport | None = None
        self._open = self._gone = self._retired = self._paused = self._flushing = False
        self._timer: asyncio.TimerHandle | None = None
        self._slice = self._heard = 0  # the present slice, and the one in which it last heard
        self.dropped: deque[int] = deque()  # when they were made, all before those in pending
        self._closed: asyncio.Future[None] = self._loop.create_future()
        self.opening = self._loop.create_task(self._connect())

    @property
    def in_flight(self) -> int:
        """Calls that the server has not answered."""
        return len(self.pending) + len(self.dropped)

    @property
    def silent(self) -> bool:
        """Whether a call was late, and the server has sent nothing for the whole deadline."""
        return bool(self.dropped) and self._slice - self._heard > self._slices

    def ask(self, command: tuple[Word, ...], asking: bool = False) -> asyncio.Future[Any]:
        """Queue a command; the future is its reply, or a `StoreError`. With ``asking`` it is sent
        behind ``ASKING``, together or not at all: the node serves a key that is moving to it."""
        packed, future, queue = pack(command), self._loop.create_future(), self._queue
        made = self._slice
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
            self._heard = made  # it owed nothing until now
            self._timer = self._loop.call_later(self._slice_length, self._check)
        return future

    def retire(self) -> None:
        """Close when the last reply is in; the owner sends no more calls."""
        self._retired = True
        if not self.in_flight:
            self._break("the connection is retired")

    def close(self) -> None:
        """Close at once; calls in flight fail."""
        self._break("the store was closed")

    async def aclose(self) -> None:
        """Close, and wait until the socket is closed."""
        self.close()
        if self._loop.is_closed():  # nothing of it runs any more, nor can be waited for
            return
        await asyncio.wait({self.opening})
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
        self._heard = self._slice
        try:
            self._reader.feed(data)
            while (reply := gets()) is not NOTHING:
                if self.dropped:
                    self.dropped.popleft()
                    continue
                future, _ = expecting.popleft()
                if future.done():  # its caller has gone
                    continue
                if isinstance(reply, StoreError):
                    future.set_exception(reply)
                else:
                    future.set_result(reply)
        except Exception as error:  # no RESP, or more replies than calls: nothing after it is safe
            self._break(f"what came is no reply ({type(error).__name__})")
        if self._retired and not self.in_flight:
            self._break("the connection is retired")

    def pause_writing(self) -> None:
        self._paused = True  # commands stay here, where their deadlines are watched

    def resume_writing(self) -> None:
        self._paused = False
        self._flush()

    def connection_lost(self, error: Exception | None) -> None:
        self._break(f"the connection ended ({type(error).__name__ if error else 'EOF'})")
        self._closed.set_result(None)

    def _flush(self) -> None:
        self._flushing = False
        if self._queue and self._open and not self._paused and self._transport is not None:
            self._transport.write(b"".join(self._queue))
            self._queue.clear()

    async def _connect(self) -> None:
        try:
            async with within(self._connect_deadline):
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
        greetings = [*self._endpoint.greetings(), *self._first]
        replies = [self._loop.create_future() for _ in greetings]
        self._greeted.extend((reply, 0) for reply in replies)
        if self._transport is not None and greetings:
            self._transport.write(b"".join(map(pack, greetings)))
        check_greetings(greetings, await asyncio.gather(*replies, return_exceptions=True))

    def _start(self) -> None:
        if self._gone:
            return
        waiting = zip(self.pending, self._queue, strict=True)
        kept = [(future, packed) for (future, _), packed in waiting if not future.done()]
        self._heard = self._slice  # what is sent now is owed from now on
        self.pending = self._expecting = deque((future, self._slice) for future, _ in kept)
        self._queue = [packed for _, packed in kept]
        self._open = True
        self._flush()
        if self._retired:
            self.retire()

    def _check(self) -> None:
        """On the timer, at the end of a slice: who has waited for too long?"""
        self._timer, self._slice = None, self._slice + 1
        if not self._open:
            self._stop_waiting()
        elif self.dropped and self._slice - self.dropped[0] > 2 * LONGEST * self._slices:
            self._break("no reply for too long")
        else:
            self._fail_late()
        if self.in_flight and not self._gone:
            self._timer = self._loop.call_later(self._slice_length, self._check)

    def _fail_late(self) -> None:
        """Fail calls that have waited for the deadline while nothing came, or several times as long
        while others were answered. Their replies may still come, and others behind them."""
        silent = self._slice - self._heard > self._slices
        late = self._overdue(self._slices if silent else LONGEST * self._slices)
        self.dropped.extend(made for _, made in islice(self.pending, late))
        where, limit = self._endpoint.where, self._deadline * 1000
        self._fail(late, partial(Late, f"{where}: no reply within {limit:.0f} ms"))
        if late and silent:
            self._on_silent()

    def _stop_waiting(self) -> None:
        """Fail calls that waited too long for a connection: they need not be sent any more."""
        late = self._overdue(self._slices)
        del self._queue[:late]
        self._fail(late, partial(Unreachable, f"{self._endpoint.where}: no connection in time"))

    def _overdue(self, slices: int) -> int:
        """How many calls, oldest first, have waited for more than so many slices."""
        first = self._slice - slices
        return sum(1 for _ in takewhile(lambda call: call[1] < first, self.pending))

    def _break(self, text: str) -> None:
        self._drop(partial(Lost if self._open else Unreachable, f"{self._endpoint.where}: {text}"))

    def _drop(self, fault: Callable[[], StoreError]) -> None:
        if self._gone:
            return
        self._gone = True
        self._on_gone(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._loop.is_closed():  # and whoever waited in it is gone
            return
        if self._transport is not None:
            self._transport.abort()
        if self.opening is not asyncio.current_task(self._loop):
            self.opening.cancel()  # and the greetings with it
        self._queue.clear()
        self._fail(len(self.pending), fault)

    def _fail(self, count: int, fault: Callable[[], StoreError]) -> None:
        """Fail the oldest calls, behind those that are being told already."""
        begun = bool(self._failed)
        self._failed.extend((self.pending.popleft()[0], fault) for _ in range(count))
        if not begun:
            fail_in_turn(self._failed)
