"""A refused request changes nothing for anybody else: every rule of the default chain at once.

A sequence of requests is played twice, the second time without those of a stranger that were
refused or asked for proof in the first. Whoever asks from elsewhere is told the same both times.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from pumpguard import Action, Guard, Policy
from pumpguard.attempt import NetworkKind
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RULE_CLASSES
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt

NEIGHBOURS = [f"+4474001234{n:02}" for n in (10, 12, 15, 18, 60)]
NUMBERS = [*NEIGHBOURS, "+447400123900", "+447400987654", "+447911200300", "+8801712345678"]
NOWHERE, PREMIUM = "+441111000001", "+449098790000"

STRANGER, OTHERS = ("198.51.100.7", "198.51.100.8"), ("203.0.113.1", "203.0.113.2", "203.0.113.3")


KINDS: Sequence[NetworkKind] = ("residential",) * 6 + ("hosting", "vpn")


class Step(NamedTuple):
    """A request, so many seconds after the one before, and whether its code is entered."""

    after: int
    phone: str
    address: str
    proved: bool = False
    enters: bool = False
    kind: NetworkKind = "residential"

    @property
    def strange(self) -> bool:
        """Whether it is the stranger's."""
        return self.address in STRANGER


def played(seed: int) -> list[Step]:
    """People at three addresses, and a stranger who asks four times for each number; half of them
    with proof. Drawn at once: there must be much of everything before anything is full."""
    draw, steps = random.Random(seed), list[Step]()
    for _ in range(draw.randint(5, 40)):
        after = draw.choice([0, 1, 20, 61, 61, 300, 300, 3_601] + [86_401] * (draw.random() < 0.1))
        if draw.random() < 0.5:
            phone, proved, enters = draw.choice(NUMBERS), draw.random() < 0.5, draw.random() < 0.5
            steps.append(Step(after, phone, draw.choice(OTHERS), proved, enters))
        else:
            phone = draw.choice([*NEIGHBOURS * 4, *NUMBERS, NOWHERE, PREMIUM])
            kind = draw.choice(KINDS)
            his = Step(
                min(after, 300), phone, draw.choice(STRANGER), draw.random() < 0.7, kind=kind
            )
            steps += [his] * 4
    return steps


def policy() -> Policy:
    """The default chain, of a small app: everything is full soon."""
    return Policy(
        send="/send",
        settled=True,
        home=["GB"],
        daily_budget=20.0,
        rules={
            "conversion": {"minimum": 3, "h": 1.5},
            "unanswered": {"strikes": "2/hour"},
            "burst_ban": {"strikes": "6 per 5 minute"},
        },
    )


async def told(steps: Sequence[Step]) -> list[Action]:
    """What is said to each."""
    clock = FakeClock()
    guard = Guard(policy(), clock=clock, challenge=SimulatedHuman(), networks=UnknownNetworks())
    guard.observations.hearing.hear()  # as in an app whose users verify
    found = []
    for step in steps:
        attempt = make_attempt(
            step.phone, step.address, at=clock.advance(step.after), proved=step.proved, price=0.1
        )
        client = replace(attempt.client, kind=step.kind)
        decision = await guard.assess(replace(attempt, client=client))
        found.append(decision.action)
        if step.enters and decision.allowed:
            clock.advance(15)
            guard.verified(step.phone)
            await guard.settled()
    return found


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_nobody_else_is_told_anything_else(seed: int) -> None:
    """Whatever a stranger asked for in vain, with and without proof."""
    steps = played(seed)
    first = asyncio.run(told(steps))
    kept, waited, answers = [], 0, []
    for step, action in zip(steps, first, strict=True):
        if step.strange and action is not Action.ALLOW:
            waited += step.after
            continue
        kept.append(step._replace(after=step.after + waited))
        answers.append((step, action))
        waited = 0
    second = asyncio.run(told(kept))
    for (step, before), after in zip(answers, second, strict=True):
        if not step.strange:
            assert before is after, step


def test_every_rule_is_played() -> None:
    kinds = {type(rule) for rule in policy().chain if rule.mode != "off"}
    assert kinds == set(RULE_CLASSES.values())
