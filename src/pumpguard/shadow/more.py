"""Messages beyond those that a request was decided about: each is decided about when it is sent.

An alias in a GraphQL document, a loop over numbers that the policy does not read, a websocket: what
the guard could not see before, its wrapped sender sees.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias
from weakref import WeakMethod, WeakSet

from starlette.types import ASGIApp, Receive, Scope, Send

from pumpguard.attempt import Attempt, Phone
from pumpguard.decision import Action, Decision
from pumpguard.errors import IntakeError, MessageNotSent, StoreError
from pumpguard.intake.address import Address
from pumpguard.intake.phone import canonical
from pumpguard.intake.reader import Reader
from pumpguard.loop_thread import LOOP
from pumpguard.notices import Notices
from pumpguard.observations import Observations
from pumpguard.shadow.current import CurrentRequest, current_request
from pumpguard.shadow.numbers import Spelt
from pumpguard.shadow.open_requests import OPEN
from pumpguard.shadow.tokens import LIFETIME, Carried, Tokens

if TYPE_CHECKING:
    from pumpguard.guard import Guard
    from pumpguard.policy import Policy


PATIENCE, NEXT_PATIENCE = 2.0, 0.1
"""Seconds for which a plain sender waits for a decision. A thread that the event loop itself waits
for would wait for ever, and no other request would be served; so after that has happened, the next
ones wait for less, until one is decided."""

MAX_TOKENS = 10_000
"""Tokens whose messages a process remembers."""

Claim: TypeAlias = Callable[[str, int], Awaitable[bool]]
"""Whether this process is the first to claim something within so many seconds."""

_notices = Notices()
_standing = WeakSet[asyncio.AbstractEventLoop]()
"""Event loops that have not decided in time."""


class MoreMessages:
    """Decides for one guard, about messages under no decision too if its policy says so."""

    def __init__(
        self,
        policy: Policy,
        reader: Reader,
        decide: Callable[[Attempt], Awaitable[Decision]],
        record: Callable[[Decision], None],
        not_sent: Callable[[Decision], None],
        observations: Observations,
        tokens: Tokens,
        claim: Claim,
        *,
        simulated: bool,
    ) -> None:
        self._claim = claim
        self._tried: dict[bytes, tuple[int, deque[int]]] = {}
        """By token: of how many of its messages it was asked who sends them, and those that were
        this process's to send and failed."""
        self._simulated = simulated
        self._reader = reader
        self._policy = policy
        self._decide = decide
        self._record = record
        self._not_sent = not_sent
        self._notices = observations.notices
        OPEN.count_strays(observations.counts)
        if policy.undecided != "sent" and policy.mode == "enforce":
            OPEN.decide_strays(self._stray)
            tokens.decide = WeakMethod(self._by_token)

    async def __call__(
        self,
        request: CurrentRequest,
        numbers: Sequence[Spelt],
        address: Address | str | None = None,
    ) -> CurrentRequest:
        """Decide about one more message of that request, to the first of these numbers that is one
        and not its own, or to its own. ``address`` is the client's where the request has none.
        Raises `MessageNotSent` where there is no number."""
        phone = self._phone(request, numbers)
        if request.decision is None:
            attempt = self._reader.attempt(phone, address)
        else:
            first = request.decision.attempt
            attempt = self._reader.attempt(
                phone,
                first.client.address,
                session=first.session,
                account=first.account,
                device=first.device,
                extra=first.extra,
            )
        decision = await self._decide(attempt)
        self._notices.say(
            "PG087",
            "more messages",
            "a wrapped sender was called for more messages than were decided about; each is "
            "decided about when sent: let phone= read all numbers, and wrap only what sends codes",
        )
        self._record(decision)
        failed = partial(self._not_sent, decision)
        return CurrentRequest(
            decision, self._simulated, request.route, request.tokens, settle_failed=failed
        )

    async def _stray(self, request: CurrentRequest, numbers: Sequence[Spelt]) -> CurrentRequest:
        if self._policy.undecided == "refused":
            raise MessageNotSent("a wrapped sender was called under no decision")
        return await self(request, numbers)

    async def _by_token(self, request: CurrentRequest, numbers: Sequence[Spelt]) -> CurrentRequest:
        """A message by a token, which is for so many in all processes; one more is under no
        decision. In the store it takes one trip for each message of the token."""
        token = request.token
        if token is None or not await self._takes(token):
            return await self._stray(CurrentRequest(None), numbers)
        failed = partial(self._tried[token.name][1].append, 1)
        return replace(request, sending=[], outer=None, more=None, settle_failed=failed)

    async def _takes(self, token: Carried) -> bool:
        if len(self._tried) > MAX_TOKENS:
            self._tried.clear()
        tried, failed = self._tried.get(token.name, (0, deque()))
        with suppress(IndexError):
            failed.pop()
            return True
        for n in range(tried, token.messages):
            self._tried[token.name] = n + 1, failed
            with suppress(StoreError):  # nobody can say: better twice than never
                if not await self._claim(f"token {token.name.hex()} {n}", LIFETIME):
                    continue
            return True
        return False

    def _phone(self, request: CurrentRequest, numbers: Sequence[Spelt]) -> Phone:
        for spelt in sorted(numbers, key=lambda each: not each.international):
            if request.means([spelt]):
                continue
            try:
                if spelt.international:
                    return canonical(f"+{spelt.digits}", None, None)
                return canonical(spelt.digits, None, self._policy.region, plain_digits=True)
            except IntakeError:
                continue
        if request.decision is None:
            raise MessageNotSent("no telephone number was found among the sender's arguments")
        return request.decision.attempt.phone


async def with_more(guard: Guard, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Let an app handle a request or a websocket about which nothing was decided: every message is
    decided about when it is sent."""
    if guard.more is None:
        await app(scope, receive, send)
        return
    more = partial(guard.more, address=guard.reader.address(scope))
    request = CurrentRequest(None, more=more, loop=asyncio.get_running_loop())
    token = OPEN.enter(request, current_request.get())
    try:
        await app(scope, receive, send)
    finally:
        OPEN.leave(request, token, None)


async def decided(request: CurrentRequest, numbers: Sequence[Spelt]) -> CurrentRequest:
    """One more message of a request, as all guards decide that are nested here."""
    found = request
    for each in reversed(list(request.chain())):
        if each.more is not None:
            one_more = await each.more(each, numbers)
            one_more.outer = None if found is request else found
            found = one_more
            if found.action is not Action.ALLOW:
                break
    return found


def decided_here(request: CurrentRequest, numbers: Sequence[Spelt]) -> CurrentRequest:
    """The same for a plain sender, which waits for it. Raises `MessageNotSent` in the thread of an
    event loop, which cannot wait, and in one that this thread itself waits for."""
    loop = request.loop
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        deciding = decided(request, numbers)
        if loop is None or not loop.is_running():
            return asyncio.run(deciding)
        answer = asyncio.run_coroutine_threadsafe(deciding, loop)
        try:
            found = answer.result(NEXT_PATIENCE if loop in _standing else PATIENCE)
        except TimeoutError:
            answer.cancel()
            _standing.add(loop)
            text = "not decided in time: does the event loop wait for the thread that sends?"
            _notices.say("PG090", "", f"a message was refused: {text} Await it")
            raise MessageNotSent(text) from None
        _standing.discard(loop)
        return found
    if request.token is not None:  # which needs nothing of this loop
        return LOOP.submit(decided(request, numbers)).result(PATIENCE)
    raise MessageNotSent(
        "a message that nothing was decided about yet, by a plain sender in the thread of an event "
        "loop: make it async, or let the policy's phone= read all numbers"
    )
