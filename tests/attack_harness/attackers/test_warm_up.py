"""Probes, silence, and a flood of what answered."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from attack_harness.attackers.warm_up import BLOCK_DIGITS, WarmUp, WarmUpAttack
from attack_harness.clock import HOUR, MIDNIGHT
from attack_harness.run import play
from attack_harness.targets import InProcess

from ..fake_app import BLOCKED, SENT, FakeApp, Verdict
from .planning import ground

FAMILY = WarmUp(blocks=6, seconds=60.0)


def plan() -> WarmUpAttack:
    return FAMILY.plan(ground(FAMILY.name))


def test_every_block_is_probed_one_to_three_times_and_then_left_alone() -> None:
    attack = plan()
    probes = attack.shots[: attack.probes]
    per_block = Counter(shot.phone[:-BLOCK_DIGITS] for shot in probes)
    assert len(per_block) == 6
    assert set(per_block.values()) <= {1, 2, 3}
    assert probes[-1].after < 2 * HOUR
    assert attack.shots[attack.probes].after == 5 * HOUR


def test_the_flood_asks_for_other_numbers_of_the_same_blocks() -> None:
    attack = plan()
    probed = {shot.phone for shot in attack.shots[: attack.probes]}
    flooded = {shot.phone for shot in attack.shots[attack.probes :]}
    assert len(flooded) == 4 * 60
    assert not probed & flooded
    assert {p[:-BLOCK_DIGITS] for p in flooded} == {p[:-BLOCK_DIGITS] for p in probed}


async def test_only_blocks_that_answered_are_flooded() -> None:
    attack = plan()
    refused = attack.shots[0].phone[:-BLOCK_DIGITS]

    def judge(phone: str, address: str, human: bool) -> Verdict:
        return BLOCKED if phone.startswith(refused) else SENT

    async with InProcess(FakeApp(judge)) as target:
        log = await play(target, attack.actors())
    flood = [e for e in log.exchanges if e.at >= MIDNIGHT + attack.starts + 5 * HOUR]
    assert flood
    assert not any(e.phone.startswith(refused) for e in flood)


async def test_a_block_whose_messages_silently_vanish_is_not_flooded_either() -> None:
    """Who owns the numbers sees what arrives, whatever the app says."""
    attack, app = plan(), FakeApp()
    app.inboxes = defaultdict(NeverDelivered)
    async with InProcess(app) as target:
        log = await play(target, attack.actors())
    assert len(log.exchanges) == attack.probes


class NeverDelivered(list[dict[str, Any]]):
    def append(self, message: dict[str, Any]) -> None:
        """Lose it."""


async def test_the_second_run_remembers_nothing_of_the_first() -> None:
    attack = plan()
    async with InProcess(FakeApp()) as target:
        open_ = await play(target, attack.actors())
    async with InProcess(FakeApp(lambda *_: BLOCKED)) as target:
        shut = await play(target, attack.actors())
    assert len(open_.exchanges) == len(attack.shots)
    assert len(shut.exchanges) == attack.probes
