"""Outcomes out: the providers whose models learn from it are told whose codes were entered.

twilio = Twilio(…, feedback=True, sent=receipts.sent)
feedback = Feedback(guard, twilio, PreludeFeedback("the API key"))
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Iterable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from pumpguard.background import Later
from pumpguard.config import require
from pumpguard.decision import Decision
from pumpguard.errors import StoreError
from pumpguard.guard import Guard
from pumpguard.listeners import Became, Listener
from pumpguard.senders.base import HttpSender, OnSent

EVERY = 1.0
"""Seconds for which news are gathered. Vonage wants them "as soon as possible"."""

MOST, BATCH = 1_000, 50
"""News that wait at most, beyond which the oldest are lost; and those that are told together."""

DEADLINE = 10.0
"""Seconds for a provider to hear of so many."""

REMEMBERED = 3_600
"""Seconds after its sending for which a message's code may be told of: AWS takes it for failed
after that (https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/
API_PutMessageFeedback.html, read on 2026-11-27)."""


class News(NamedTuple):
    """A message was sent to a number (E.164), or its code has been entered; ``id`` is the
    provider's of the newest message to it."""

    phone: str
    verified: bool
    provider: str = ""
    id: str = ""

    def is_for(self, provider: Informed) -> bool:
        """A provider that hears of its own messages hears of those whose codes were entered."""
        return not provider.hears_of or (self.verified and self.provider == provider.hears_of)


class Informed(Protocol):
    """Wants to hear of it: of its own messages, or of all if ``hears_of`` is empty. A sender that
    was made with ``feedback=True`` is one."""

    feedback: bool

    @property
    def hears_of(self) -> str: ...

    def tell(self, sent: OnSent) -> None:
        """Tell this too of every message that is sent."""

    async def inform(self, news: Sequence[News]) -> int:
        """Tell the provider. Returns how many it has taken; raises whatever went wrong."""


class Feedback(Listener):
    """Tells ``providers`` what became of messages, a second behind the reply and many at a time.

    It is lossy by choice: nobody waits for it, nothing is told twice, what a provider does not take
    is dropped, and of too many news the oldest are. `dropped` counts those, `told` the others. What
    other senders send is heard of if they get `sent`. Raises `PolicyError` for a sender without
    ``feedback=True``.
    """

    name = "feedback"

    def __init__(self, guard: Guard, *providers: Informed) -> None:
        for i, provider in enumerate(providers):
            require(provider.feedback, f"feedback.{i}", "a sender that has feedback=True")
            provider.tell(self.sent)
        self.told = 0
        self._guard, self._providers = guard, providers
        self._waiting: deque[News] = deque()
        self._later = Later(EVERY, self._tell)
        guard.listen(self)

    def sent(self, provider: str, id: str, decision: Decision | None) -> None:
        """A message went out under this decision; a sender's ``sent``. Returns at once."""
        if decision is not None and decision.reservation:
            self._add(News(decision.attempt.phone.e164, False, provider, id))

    def outcome(self, became: Became) -> None:
        if became.outcome == "verified" and became.messages:
            self._add(News(became.phone.e164, True))

    async def done(self) -> None:
        """Tell now what waits."""
        await self._later.done()
        await self._tell()

    aclose = done

    def _add(self, news: News) -> None:
        if len(self._waiting) >= MOST:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(news)
        self._later.soon()  # without a loop the next news will have one

    async def _tell(self) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            known = [each for each in [await self._known(news) for news in batch] if each]
            for provider in self._providers:
                mine = [each for each in known if each.is_for(provider)]
                if mine:
                    await self._inform(provider, mine)

    async def _inform(self, provider: Informed, news: Sequence[News]) -> None:
        told = 0
        with suppress(Exception):  # whatever it is, nobody waits for it
            async with asyncio.timeout(DEADLINE):
                told = await provider.inform(news)
        self.told += told
        self.dropped += len(news) - told

    async def _known(self, news: News) -> News | None:
        """The news with the message that they are about; nothing, if nobody knows that."""
        key = f"feedback {news.phone}"
        at = self._guard.overrides.now() if self._guard.simulated else None
        try:
            if not news.verified:
                text = f"{news.provider} {news.id}"
                await self._guard.store.remember(key, text, REMEMBERED, at)
                return news
            found = await self._guard.store.recall(key, at)
        except (StoreError, ValueError):
            self.dropped += 1
            return None
        provider, _, id = (found or "").partition(" ")
        return news._replace(provider=provider, id=id)


async def accepted(calls: Iterable[Awaitable[Any]]) -> int:
    """How many of these calls, made together, raised nothing."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return sum(not isinstance(answer, BaseException) for answer in answers)


class PreludeFeedback(HttpSender):
    """Prelude Watch hears when a number was sent a code, and when it entered it, whoever carried
    the message.

    Contract: https://docs.prelude.so/watch/v2/api-reference/send-feedbacks (read on 2026-11-27):
    many in one request, as ``verification.started`` and ``verification.completed``, which is what
    Prelude's own client (github.com/prelude-so/php-sdk) calls them."""

    provider = "prelude"
    hears_of = ""

    def __init__(self, key: str, *, base: str = "https://api.prelude.dev", **options: Any) -> None:
        super().__init__(base, headers={"authorization": f"Bearer {key}"}, **options)
        self.feedback = True

    async def inform(self, news: Sequence[News]) -> int:
        feedbacks = [
            {
                "target": {"type": "phone_number", "value": each.phone},
                "type": f"verification.{'completed' if each.verified else 'started'}",
            }
            for each in news
        ]
        await self.post("/v2/watch/feedback", json={"feedbacks": feedbacks})
        return len(news)
