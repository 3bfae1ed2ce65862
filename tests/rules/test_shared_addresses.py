"""An address that people share does not pay for one of them: the default chain, played."""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from pumpguard import Action, Decision, Guard, Policy
from pumpguard.intake.network import UnknownNetworks
from pumpguard.intake.phone import canonical
from pumpguard.rules import SlidingBan
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt

HOUR, GARBAGE = 3600.0, "garbage"
NAT, ELSEWHERE = "203.0.113.9", "198.51.100.7"


def british(draw: random.Random) -> str:
    """A mobile that is allocated."""
    while True:
        phone = f"+4474{draw.randrange(10**8):08}"
        if canonical(phone).valid:
            return phone


def beninese(draw: random.Random) -> str:
    return f"+22901{draw.choice((97, 96, 66, 61))}{draw.randrange(10**6):06}"


def old_form(phone: str) -> str:
    """What the plan here does not allocate: as long as Benin's numbers are, and not with 01. (Those
    of before November 2024 are too short, and cannot be read at all.)"""
    return "+22902" + phone.removeprefix("+22901")


def unallocated(n: int) -> str:
    """One after the other, and no plan has them."""
    return f"+441111{n:06}"


Asked = tuple[float, str, str]
"""When, what for, and which number."""


def crowd(
    hours: float,
    per_hour: int,
    number: Callable[[random.Random], str],
    wrong: float = 0.0,
    seed: int = 5,
) -> Iterator[Asked]:
    """People who ask once; this part of them types the old form first, and corrects it."""
    draw = random.Random(seed)
    for _ in range(round(hours * per_hour)):
        at, phone = draw.uniform(0, hours * HOUR), number(draw)
        if draw.random() < wrong:
            yield at, GARBAGE, old_form(phone)
            at += 40.0
        yield at, "people", phone


def garbage(hours: float, every: float, begins: float = 0.0) -> Iterator[Asked]:
    """One person who sends what nobody receives, for nothing."""
    for n in range(int(hours * HOUR / every)):
        yield begins + n * every, GARBAGE, unallocated(n)


class Address:
    """All behind one address, before a guard with the default chain."""

    def __init__(self, **policy: Any) -> None:
        self.clock = FakeClock()
        settings = {"home": ["GB", "BJ"], "settled": True, "daily_budget": 600.0, **policy}
        self.guard = Guard(
            Policy(send="/send", **settings),
            clock=self.clock,
            challenge=SimulatedHuman(),
            networks=UnknownNetworks(),
        )
        self.guard.observations.hearing.hear()  # as in an app whose users verify
        self.told: Counter[str] = Counter()

    async def ask(self, phone: str, address: str = NAT, **facts: Any) -> Decision:
        """One request, now."""
        attempt = make_attempt(phone, address, at=self.clock.now, price=0.04, **facts)
        return await self.guard.assess(attempt)

    async def play(self, *requests: Iterable[Asked], solves: bool = True) -> Counter[str]:
        """What was said to people; who is asked for proof solves it, or does not."""
        began, told, draw = self.clock.now, Counter[str](), random.Random(1)
        events = sorted(each for all_of_them in requests for each in all_of_them)
        while events:
            at, who, phone = heapq.heappop(events)
            self.clock.now = began + at
            if who == "code":
                self.guard.verified(phone)
                await self.guard.settled()
                continue
            decision = await self.ask(phone)
            if who == GARBAGE:
                assert not decision.allowed
                continue
            told["people"] += 1
            if decision.action is Action.CHALLENGE:
                told["asked"] += 1
                if solves:
                    decision = await self.ask(phone, proved=True)
            if decision.allowed:
                told["served"] += 1
                if self.guard.policy.verified:
                    heapq.heappush(events, (at + draw.lognormvariate(3.0, 0.6), "code", phone))
        return told


@pytest.mark.parametrize("per_hour", [100, 300])
async def test_one_in_ten_types_the_old_form(per_hour: int) -> None:
    """Benin's numbers became longer. It was 403 for most right numbers at this address."""
    told = await Address().play(crowd(6, per_hour, beninese, wrong=0.1), solves=False)
    assert told["served"] == told["people"]


@pytest.mark.parametrize("every", [10, 1])
async def test_garbage_at_an_address_whose_users_verify(every: float) -> None:
    """Nobody else hears of it, in four hours and up to 14,400 of them."""
    address = Address()
    await address.play(crowd(20, 10, british, seed=6))
    told = await address.play(
        crowd(4, 60, british), garbage(4 if every > 1 else 1, every), solves=False
    )
    assert told["served"] == told["people"] == 240


async def test_garbage_at_an_address_where_nobody_has_verified() -> None:
    """Strangers are asked until their own verifications count: one in twenty. All are served."""
    told = await Address().play(crowd(6, 60, british), garbage(6, 10))
    assert told["served"] == told["people"] == 360
    assert told["asked"] <= 0.06 * told["people"]


async def test_proof_gets_a_code_where_no_verifications_are_heard() -> None:
    """Everybody is asked while garbage comes, and nobody refused."""
    told = await Address(settled=False).play(crowd(3, 30, british), garbage(3, 10))
    assert told["served"] == told["people"] == 90


async def test_a_sender_of_garbage_is_stopped() -> None:
    """By the tenth in an hour, for nothing: from there on all that is asked for there has to be
    proved, for ten minutes each time, however often it comes again."""
    address = Address()
    for round_ in range(4):
        for n in range(10):
            address.clock.advance(1)
            assert (await address.ask(unallocated(n))).action is Action.BLOCK
        stranger = await address.ask(british(random.Random(round_)))
        assert stranger.action is Action.CHALLENGE
        assert stranger.finding is not None
        assert stranger.finding.rule == "strike_ban"
        assert stranger.retry_after == 600
        address.clock.advance(600)
    assert (await address.ask(british(random.Random(9)))).allowed


async def test_a_ban_lets_known_numbers_pass() -> None:
    """Who has verified before is not asked, wherever he comes from; a stranger there is."""
    address = Address()
    known = british(random.Random(1))
    assert (await address.ask(known, ELSEWHERE)).allowed
    address.guard.verified(known)
    await address.guard.settled()
    address.clock.advance(2 * HOUR)
    for n in range(10):
        await address.ask(unallocated(n))
    assert (await address.ask(known)).allowed
    assert (await address.ask(british(random.Random(2)))).action is Action.CHALLENGE


async def test_being_asked_in_a_walked_block_shadows_nobody() -> None:
    """Whoever has only been told to prove something hears that again, openly, the third time too;
    strikes are refusals in spite of proof."""
    address = Address()
    walk = [f"+44740012345{n}" for n in range(10)]
    for phone in walk[:3]:
        assert (await address.ask(phone)).allowed
    asked = [(await address.ask(phone)).action for phone in walk[3:]]
    assert asked == [Action.CHALLENGE] * 7
    proved = [(await address.ask(phone, proved=True)).action for phone in walk[3:]]
    assert proved[:2] == [Action.THROTTLE] * 2
    assert set(proved[2:]) == {Action.SHADOW}


@pytest.mark.parametrize("settled", [True, False])
def test_what_is_stored_of_the_ban_for_strikes_stays_the_same(settled: bool) -> None:
    """Its id is a hash of this: a rolling deploy loses no strike and lifts no ban."""
    chain = Policy(send="/s", settled=settled).chain
    (rule,) = (r for r in chain if isinstance(r, SlidingBan) and r.name == "strike_ban")
    (ban,) = rule.counters(make_attempt())
    assert ban.identity() == "Ban log 3600 network strike_ban"


async def test_a_campus_at_an_address_that_nobody_has_seen() -> None:
    """200 in 20 minutes: the first codes are entered before the country's line is spent, and where
    users verify nobody is asked."""
    draw = random.Random(7)
    campus = [(draw.uniform(0, 1_200), "people", british(draw)) for _ in range(200)]
    told = await Address().play(campus)
    assert told["people"] == told["served"]
    assert told["asked"] <= 10


async def test_one_bot_at_a_new_address_is_asked_as_ever() -> None:
    """A number every six seconds from all over the country, and no codes: it has a few messages."""
    address, draw, sent = Address(), random.Random(7), 0
    for _ in range(200):
        address.clock.advance(6)
        sent += (await address.ask(british(draw))).allowed
    assert sent <= 25


async def test_an_address_that_verifies_is_not_asked_while_the_country_is() -> None:
    """And only while its users do: a message that nobody verifies takes 1.4 off its headroom."""
    address, draw = Address(), random.Random(7)
    for n in range(40):
        number = british(draw)
        assert (await address.ask(number, NAT)).allowed
        address.clock.advance(9 + 7 * n % 40)
        address.guard.verified(number)
        await address.guard.settled()
    while (await address.ask(british(draw), f"198.51.100.{draw.randrange(1, 255)}")).allowed:
        pass
    sent = 0
    while (await address.ask(british(draw), NAT)).allowed:
        sent += 1
    assert 15 <= sent <= 35
