"""So many decisions at a time; who else wants one waits in a line, customers in front.

What is in flight is what the event loop will have to work off in one turn when answers come, and
what a server has to do before anybody else's question. In a flood there is no end to it: so the
others wait here, where it costs nothing, and who finds the line full is refused.
"""

from __future__ import annotations

import asyncio
from collections import deque

from pumpguard.errors import StoreError
from pumpguard.notices import Notices
from pumpguard.store.base import Question

IN_FLIGHT = 64
"""Decisions of one event loop that a server (or shard) works on: by Little's law 3,200 a second at
20 ms each, which is more than a process can do."""

IN_A_TURN = 8
"""Decisions that this process makes itself in one turn of its event loop. Each takes up to half a
millisecond."""

WAITING = 256
"""Strangers that wait, and as many of those in front of them. The next one is refused."""

STRANGERS_TURN = 4
"""One place in so many is a stranger's, whoever waits in front: nobody waits for ever."""

REMEMBERED = 10_000
"""Known numbers. What was learnt first is forgotten first."""


class Crowded(StoreError):
    """The store was not asked, because too many wait for it already."""

    undone = True


class Line:
    """One event loop's decisions, at most so many ``at_once``.

    Whoever finds fewer ``inside`` and nobody ``waiting`` adds itself to those inside; all others
    `wait`. Whoever is done calls `leave`. First are requests with proof, and for numbers of which
    this process has lately heard that they have verified.
    """

    def __init__(self, at_once: int) -> None:
        self.inside = 0
        self.waiting = 0
        self._at_once = at_once
        self._known: dict[str, None] = {}
        self._notices = Notices(logger="pumpguard.store")
        self._first: deque[asyncio.Future[None]] = deque()
        self._strangers: deque[asyncio.Future[None]] = deque()
        self._in_a_row = 0  # places that strangers have let others have

    async def wait(self, question: Question) -> None:
        """Wait for a place, and take it. Raises `Crowded`."""
        first = question.plan.proved or phone_of(question) in self._known
        queue = self._first if first else self._strangers
        if len(queue) >= WAITING:
            text = "more requests come than can be decided: strangers who find no place are refused"
            self._notices.say("PG091", "overloaded", text)
            raise Crowded(f"{len(queue)} wait to be decided about")
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        self.waiting += 1
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # it was given away in the same turn
                self.leave()
            raise

    def leave(self) -> None:
        """Give a place back."""
        self.inside -= 1
        self.let_in()

    def let_in(self) -> None:
        """Give away the places that are free."""
        while self.waiting and self.inside < self._at_once:
            place = self._next()
            if not place.done():  # its client is there
                self.inside += 1
                place.set_result(None)

    def knows(self, phone: str | None) -> None:
        """This number has verified."""
        if phone is not None:
            self._known.pop(phone, None)  # so that it is the newest
            self._known[phone] = None
            if len(self._known) > REMEMBERED:
                del self._known[next(iter(self._known))]

    def _next(self) -> asyncio.Future[None]:
        self.waiting -= 1
        if self._first and (self._in_a_row < STRANGERS_TURN - 1 or not self._strangers):
            self._in_a_row += 1
            return self._first.popleft()
        self._in_a_row = 0
        return self._strangers.popleft()


def phone_of(question: Question) -> str | None:
    """The number that it is about, if anything is counted by it."""
    groups = question.plan.groups
    return question.subjects[groups.index("phone")] if "phone" in groups else None
