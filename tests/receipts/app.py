"""An app whose messages are reported of by every provider there is."""

from __future__ import annotations

import pytest

from pumpguard import Decision, Guard, Policy
from pumpguard.listeners import Listener
from pumpguard.receipts import Receipts
from pumpguard.receipts.aws import SnsTopics
from pumpguard.receipts.base import Reported
from pumpguard.rules import RateLimit
from pumpguard.store.base import Store
from pumpguard.testing import FakeClock
from tests.asgi import Reply, call, request
from tests.receipts.keyed import ByBird, ByInfobip, ByMessageBird, BySinch, ByVerify
from tests.receipts.signing import (
    TOPIC,
    URL,
    ByPlivo,
    BySns,
    ByTelnyx,
    ByTwilio,
    ByVonage,
    Provider,
    Sent,
)

PHONE = "+447400123456"
TWILIO, VONAGE, SNS = ByTwilio(), ByVonage(), BySns()
PROVIDERS: list[Provider] = [
    TWILIO, ByPlivo(), VONAGE, ByTelnyx(), SNS, ByVerify(), BySinch(), ByMessageBird(), ByBird(),
    ByInfobip(),
]  # fmt: skip
each = pytest.mark.parametrize("provider", PROVIDERS, ids=[each.name for each in PROVIDERS])
GIVES_BACK = [each for each in PROVIDERS if "failed" in each.words]
each_that_gives_back = pytest.mark.parametrize(
    "provider", GIVES_BACK, ids=[each.name for each in GIVES_BACK]
)


class App:
    """A guard that lets a number have one message an hour, and its receipts."""

    def __init__(self, store: Store, clock: FakeClock, pauses: tuple[float, ...] = ()) -> None:
        self.clock = clock
        limit = RateLimit(name="phone_limit", by="phone", limits="1/hour")
        self.guard = Guard(Policy(send="/s", settled=True, rules=[limit]), store, clock=clock)
        self.heard = Heard()
        self.guard.listen(self.heard)
        secrets = {provider.name: provider.secret for provider in PROVIDERS}
        self.receipts = Receipts(self.guard, url=URL, clock=clock, pauses=pauses, **secrets)
        self.receipts._readers["sns"] = SnsTopics([TOPIC], SNS.fetch)

    async def send(self, provider: Provider, id: str = "SM1") -> Decision:
        """A message goes out."""
        decision = await self.guard.assess(self.guard.attempt(PHONE))
        self.sent(provider, id, decision)
        return decision

    def sent(self, provider: Provider, id: str, decision: Decision) -> None:
        """Its sender says so."""
        self.receipts.sent(provider.sender or provider.name, id, decision)

    async def post(self, provider: Provider, sent: Sent) -> Reply:
        scope = request(
            provider.method, f"/{provider.name}", content_type=None, headers=sent.headers,
            query=sent.query,
        )  # fmt: skip
        return await call(self.receipts, scope, sent.body)

    async def told(self, provider: Provider, word: str, id: str = "SM1") -> None:
        """The provider says this of that message, and it is taken."""
        reply = await self.post(provider, provider.report(id, word, self.clock()))
        assert reply.status == 204
        await self.settled()

    async def settled(self) -> None:
        await self.receipts.done()
        await self.guard.settled()

    async def allows(self) -> bool:
        """Whether the number may have a message now."""
        return (await self.guard.decide(self.guard.attempt(PHONE))).allowed


class Heard(Listener):
    """What listeners are told."""

    def __init__(self) -> None:
        self.reported_: list[Reported] = []

    def reported(self, reported: Reported) -> None:
        self.reported_.append(reported)

    @property
    def words(self) -> list[str]:
        """What the providers have said."""
        return [each.word for each in self.reported_]


def strongest(provider: Provider) -> str:
    """The word that changes most."""
    return "failed" if "failed" in provider.words else "undelivered"
