"""Bots that move on from what they can see, and stay where they see nothing."""

from __future__ import annotations

import pytest

from attack_harness.attackers.adaptive import Adaptive, AdaptiveAttack
from attack_harness.clock import MIDNIGHT
from attack_harness.run import play
from attack_harness.targets import InProcess

from ..fake_app import BLOCKED, CHALLENGE, SENT, FakeApp, Verdict, throttled
from .planning import ground


def plan() -> AdaptiveAttack:
    family = Adaptive(seconds=300.0)
    return family.plan(ground(family.name))


async def phones_asked(app: FakeApp) -> list[str]:
    async with InProcess(app) as target:
        return [e.phone for e in (await play(target, plan().actors())).exchanges]


async def test_if_nothing_is_refused_it_does_what_it_planned() -> None:
    assert await phones_asked(FakeApp()) == [shot.phone for shot in plan().shots]


@pytest.mark.parametrize("refusal", [BLOCKED, throttled(60), CHALLENGE])
async def test_a_visible_refusal_of_a_block_sends_it_elsewhere(refusal: Verdict) -> None:
    first = plan().shots[0].phone[:-3]

    def judge(phone: str, address: str, human: bool) -> Verdict:
        return refusal if phone.startswith(first) else SENT

    asked = await phones_asked(FakeApp(judge))
    wasted = sum(phone.startswith(first) for phone in asked)
    # Those who wait for a solution when the others leave still use it.
    assert wasted < 100
    assert len(asked) > 500


async def test_a_shadow_ban_is_never_noticed() -> None:
    """The app says "sent" and sends nothing: all requests are wasted on the same block."""
    asked = await phones_asked(FakeApp(lambda *_: SENT))
    assert {phone[:-3] for phone in asked} == {plan().shots[0].phone[:-3]}


async def test_refused_everywhere_it_wanders_to_its_end_at_its_own_rate() -> None:
    attack = plan()
    async with InProcess(FakeApp(lambda *_: BLOCKED)) as target:
        log = await play(target, attack.actors())
    assert len(log.exchanges) == pytest.approx(600, abs=20)
    assert log.exchanges[-1].at <= MIDNIGHT + attack.starts + 300
    assert len({e.phone[:-3] for e in log.exchanges}) == 3 * 8
    assert {e.phone for e in log.exchanges} <= attack.phones
