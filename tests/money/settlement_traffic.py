"""What becomes of an attacker's messages, for `exposure_search`: told late, twice, or never."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from random import Random

from pumpguard import Guard, StoreError
from pumpguard.decision import Decision
from pumpguard.outcomes import Ticket
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Refusal, Settlement
from pumpguard.store.memory import MemoryStore

STORIES: Sequence[tuple[str, ...]] = (
    ("failed",), ("failed",), ("failed",), ("failed", "failed"), (), ("verified",), ("verified",),
    ("verified", "failed"), ("failed", "verified"), ("verified", "verified"),
)  # fmt: skip
"""What is told of one message, in this order; each part perhaps by another process."""

REMEMBERED = 60
"""Messages whose outcome the attacker may still tell."""


class Shaky:
    """A store whose calls overtake each other, and of which some are lost or made twice.

    A call is lost before it reaches the store or with its reply. Outcomes are stamped when they
    arrive, as by a server's own clock, however long they were on their way. Every refund is noted.
    """

    def __init__(self, random: Random, clock: Callable[[], float]) -> None:
        self.refunds: list[tuple[float, float, str]] = []
        """When, how much, and where to."""
        self.refunded: list[tuple[object, bytes]] = []
        self._kept = MemoryStore(clock=clock)
        self.overrides = self._kept.overrides
        self._clock = clock
        self._random = random
        self._loses = random.choice([0.0, 0.0, 0.1])
        self._waits = random.choice([0, 2])
        self._prices: dict[bytes, int] = {}

    async def decide(self, question: Question) -> Answer:
        """Reserve; if the reply is lost, nothing is sent."""
        await self._turn()
        answer = self._kept.decide_now(question)
        self._prices[answer.ticket] = question.price
        self._lose()
        return answer

    async def refuse(self, refusals: Sequence[Refusal]) -> Sequence[Answer | None]:
        """Nothing stands in front of this store."""
        return await self._kept.refuse(refusals)

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Take tickets, which are gone if the reply is."""
        await self._turn()
        self._lose()
        redeemed = await self._kept.redeem(replace(redemption, at=None))
        self._lose()
        return redeemed

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Tell outcomes."""
        applied = 0
        for settlement in settlements:
            await self._turn()
            self._lose()
            for _ in range(1 + (self._random.random() < self._loses)):
                told = await self._kept.settle([replace(settlement, at=None)])
                if told and settlement.outcome == "failed":
                    self._note(settlement)
                applied += told
        return applied

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        """Keep a text."""
        await self._kept.remember(name, text, seconds)

    async def recall(self, name: str, at: float | None = None) -> str | None:
        """Look it up."""
        return await self._kept.recall(name)

    async def aclose(self) -> None:
        """Nothing to let go of."""

    def _note(self, settlement: Settlement) -> None:
        self.refunded.append((settlement.subjects, settlement.ticket))
        self.refunds.append((self._clock(), self._prices[settlement.ticket] / 1e6, ""))

    async def _turn(self) -> None:
        for _ in range(self._random.randint(0, self._waits)):
            await asyncio.sleep(0)

    def _lose(self) -> None:
        if self._random.random() < self._loses:
            raise StoreError("lost")


class Processes:
    """Guards over one store: any of them decides, and any of them hears what became of it."""

    def __init__(self, random: Random, new: Callable[[], Guard], verifies: bool) -> None:
        self._random = random
        self._new = new
        self._guards = [new() for _ in range(random.randint(1, 2))]
        self._sent: deque[Decision] = deque(maxlen=REMEMBERED)
        self._stories = [s for s in STORIES if verifies or "verified" not in s]
        self._tells = random.choice([0.0, 0.2, 0.6, 1.0])
        self.unsent = set[bytes]()
        """The reservations of messages that were not sent."""

    def any(self) -> Guard:
        """One of them; sometimes it has just been started anew."""
        i = self._random.randrange(len(self._guards))
        if self._random.random() < 0.02:
            self._guards.append(self._new())
            i = -1
        return self._guards[i]

    async def know(self, numbers: Iterable[str]) -> None:
        """These numbers were verified, whatever was sent to them."""
        for number in numbers:
            self.any().verified(number)
        await self.told()

    def sent(self, decisions: Iterable[Decision]) -> None:
        """These messages went out."""
        self._sent.extend(decisions)

    async def tell(self) -> None:
        """The stories of some of the messages, between other things that happen."""
        for message in list(self._sent):
            if self._random.random() < self._tells:
                if self._random.random() < 0.8:
                    self._sent.remove(message)
                story = self._random.choice(self._stories)
                if story and story[0] == "failed" and message.reservation:
                    self.unsent.add(message.reservation)
                for outcome in story:
                    self._say(message, outcome)
                await asyncio.sleep(0)

    async def told(self) -> None:
        """Wait until all of it has arrived or is lost."""
        for guard in self._guards:
            await guard.settled()

    def _say(self, message: Decision, outcome: str) -> None:
        guard = self.any()
        if outcome == "verified":
            guard.verified(message.attempt.phone.e164)
            return
        ticket = Ticket(message.reservation, message.attempt)
        handed_on: list[Decision | Ticket | str] = [message, ticket, str(ticket)]
        if message.reservation:
            guard.settle(self._random.choice(handed_on), "failed")
