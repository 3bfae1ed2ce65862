"""Bots that move on from what they can see, and stay where they see nothing."""

from __future__ import annotations

import pytest

from attack_harness.attackers.adaptive import Adaptive, AdaptiveAttack, Campaign, Field
from attack_harness.clock import MIDNIGHT
from attack_harness.run import play
from attack_harness.targets import InProcess

from ..fake_app import BLOCKED, CHALLENGE, SENT, FakeApp, Verdict, throttled
from .planning import ground

HERE = Field((("a1", "a2", "a3"), ("b1", "b2")), (("pool 1",), ("pool 2",)))
THERE = Field((("c1", "c2"),), (("pool 3",),))


def refuse(campaign: Campaign, times: int) -> None:
    for _ in range(times):
        aim = campaign.aim()
        assert aim
        campaign.hear(aim, sent=False)


def test_it_stays_as_long_as_messages_are_sent() -> None:
    campaign = Campaign((HERE, THERE), patience=2)
    for expected in ("a1", "a2", "a3"):
        aim = campaign.aim()
        assert aim
        assert (aim.phone, aim.address) == (expected, "pool 1")
        campaign.hear(aim, sent=True)
    assert campaign.moves == 0


def test_refused_it_tries_other_addresses_then_another_block_then_another_country() -> None:
    campaign = Campaign((HERE, THERE), patience=1)
    tried = []
    for _ in range(4):
        aim = campaign.aim()
        assert aim
        tried.append((aim.phone, aim.address))
        campaign.hear(aim, sent=False)
    assert tried == [("a1", "pool 1"), ("a2", "pool 2"), ("b1", "pool 2"), ("c1", "pool 3")]


def test_a_message_that_is_sent_settles_it() -> None:
    campaign = Campaign((HERE, THERE), patience=2)
    refuse(campaign, 1)
    aim = campaign.aim()
    assert aim
    campaign.hear(aim, sent=True)
    refuse(campaign, 1)
    assert campaign.moves == 0


def test_late_news_from_a_place_already_left_moves_nobody() -> None:
    campaign = Campaign((HERE, THERE), patience=1)
    first, second = campaign.aim(), campaign.aim()
    assert first
    assert second
    campaign.hear(first, sent=False)
    campaign.hear(second, sent=False)
    assert campaign.moves == 1


def test_a_used_up_block_is_followed_by_the_next_and_then_by_nothing() -> None:
    campaign = Campaign((HERE, THERE), patience=9)
    asked = []
    while aim := campaign.aim():
        asked.append(aim.phone)
        campaign.hear(aim, sent=True)
    assert asked == ["a1", "a2", "a3", "b1", "b2", "c1", "c2"]


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
