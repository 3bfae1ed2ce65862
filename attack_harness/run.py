"""One run: every actor's turn in order of simulated time, performed against one target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from .actors import Actor, Call, Exchange, Log, Reply, Start, Wait
from .clock import Agenda
from .targets import Target

TICK = 0.25
"""Over sockets, whatever is due within this many simulated seconds runs at once."""

SEND = "/otp/send"


def _next_step(actor: Actor, reply: Reply | None) -> Call | Wait | None:
    """Wake an actor and hear what it does next; None when it is done."""
    try:
        return next(actor) if reply is None else actor.send(reply)
    except StopIteration:
        return None


def _asked_for(call: Call) -> str | None:
    """The number that a request for a message means; None for any other request."""
    if call.meant is None and call.path == SEND and call.json is not None:
        return str(call.json.get("phone", ""))
    return call.meant


async def _turn(
    target: Target, log: Log, at: float, side: str, actor: Actor, reply: Reply | None
) -> tuple[float, Reply] | None:
    """Let one actor take one step; returns when it acts again and what it will hear then."""
    step = _next_step(actor, reply)
    if step is None:
        return None
    if isinstance(step, Wait):
        later = at + max(0.0, step.seconds)
        return later, Reply(later)
    answer = await target.call(step, at)
    log.calls += 1
    phone = _asked_for(step)
    if phone is not None:
        log.exchanges.append(
            Exchange(at, side, phone, answer.status, step.human, answer.challenged)
        )
    return at, answer


async def play(
    target: Target, starts: Iterable[Start], watch: Callable[[float], None] = lambda at: None
) -> Log:
    """Play all actors to their end; ``watch`` hears the simulated time as it passes.

    In process, one turn at a time: the order, and so the result, is the same every time. Over
    sockets, the turns of one tick are performed concurrently, as real clients would.
    """
    agenda, log = Agenda(starts), Log()
    while agenda:
        turns = agenda.take_tick(TICK) if target.concurrent else [agenda.take()]
        watch(turns[0][0])
        if len(turns) == 1:
            at, _, side, actor, reply = turns[0]
            results = [await _turn(target, log, at, side, actor, reply)]
        else:
            results = await asyncio.gather(*(_turn(target, log, t[0], *t[2:]) for t in turns))
        for (_, _, side, actor, _), result in zip(turns, results, strict=True):
            if result is not None:
                agenda.put(result[0], side, actor, result[1])
    log.exchanges.sort(key=lambda e: (e.at, e.side, e.phone))
    return log
