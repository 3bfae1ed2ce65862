"""Hooks: identity servers that ask this service to send their codes.

Each is checked by its server's own contract, judged by the guard, and sent if it may be.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pumpguard.decision import Action
from pumpguard.errors import IntakeError
from pumpguard.guard import Guard
from pumpguard.intake.body import read_body
from pumpguard.intake.fields import decode_json
from pumpguard.outcomes import Ticket
from pumpguard.senders import NotSent, ProviderAway, SendUnknown
from pumpguard.serve.hooks.kinds import Kind, Outcome
from pumpguard.serve.hooks.once import Once
from pumpguard.shadow.sender import sender

MAX_BODY, BODY_DEADLINE = 65_536, 5.0
"""Bytes of a hook's body, and seconds for all of it."""

UNSIGNED_FOR, SIGNED_FOR = 60, 600
"""Seconds for which the same body is the same hook. A signed one is too old to be accepted after
that; of an unsigned one it is only a server that tries again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One identity server: its ``kind``, what it proves itself by, the ``text`` around the code
    where the server sends a code alone, and the ``path`` that it is told to post to."""

    kind: Kind
    secret: str
    text: str
    path: str


class Hooks:
    """Answers the hooks of identity servers: ``routes`` are those of a `Service`.

    ``send`` takes a number and a text, plain (then it is called in a thread) or ``async``; it is
    wrapped here, so that a shadow takes as long as a message. ``clock`` gives Unix seconds.
    """

    def __init__(
        self,
        guard: Guard,
        send: Callable[[str, str], Any],
        hooks: list[Hook],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._guard, self._clock = guard, clock
        self._send = sender(send)
        self._once = Once(guard)
        self.routes = tuple(
            Route(hook.path, self._handler(hook), methods=["POST"]) for hook in hooks
        )

    def _handler(self, hook: Hook) -> Callable[[Request], Awaitable[Response]]:
        kind = hook.kind

        async def answer(request: Request) -> Response:
            body = await read_body(request.receive, MAX_BODY, BODY_DEADLINE)
            kind.check(hook.secret, request.headers, body, self._clock())
            found = decode_json(body)
            message = kind.read(found)
            text = message.text or hook.text.format(code=message.code)

            async def send() -> Outcome:
                return await self._sent(message.phone, message.address, message.account, text)

            seconds = SIGNED_FOR if kind.signed else UNSIGNED_FOR
            name = hook.path.encode() + b"\0" + kind.same(found, body)
            return kind.answer(await self._once.outcome(name, seconds, send))

        return answer

    async def _sent(
        self, phone: str, address: str | None, account: str | None, text: str
    ) -> Outcome:
        """Decide about a message, and send it if it may be."""
        guard = self._guard
        try:
            attempt = guard.attempt(phone, address, account=account)
        except IntakeError:
            return Outcome("block")  # as of a number that is refused: the person may correct it
        decision = await guard.assess(attempt)
        if decision.action not in (Action.ALLOW, Action.SHADOW):
            wait = decision.retry_after if decision.action is Action.THROTTLE else None
            return Outcome(str(decision.action), wait, decision.reference)
        ticket = Ticket.of(decision)
        try:
            with suppress(SendUnknown, TimeoutError):  # it counts as sent
                await self._send_by_it(decision.attempt.phone.e164, text)
        except Exception as error:
            if not isinstance(error, NotSent | ProviderAway):
                said = "the sender raised; its message counts as not sent"
                guard.notices.say("PG101", "sender", said, level=logging.ERROR, exc_info=error)
            guard.settle(ticket, "not_sent")
            return Outcome("failed")
        return Outcome("sent")

    async def _send_by_it(self, phone: str, text: str) -> None:
        """Call the sender; a plain one in a thread, where it holds up no other hook."""
        if inspect.iscoroutinefunction(self._send):
            await self._send(phone, text)
            return
        sending = await asyncio.to_thread(self._send, phone, text)
        if inspect.isawaitable(sending):
            await sending
