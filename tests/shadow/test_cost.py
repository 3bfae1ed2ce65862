"""A decision for a shadow takes as long as the one it looks like."""

from __future__ import annotations

import statistics
import time

import pytest

from pumpguard import Action, Decision
from pumpguard.shadow.cost import LONGEST, Cost
from pumpguard.testing import make_attempt

SENT = Decision(make_attempt())
LIMITED = Decision(make_attempt(), Action.THROTTLE)
SHADOW = Decision(make_attempt(), Action.SHADOW)
BLOCKED = Decision(make_attempt(), Action.BLOCK)


async def levelled(cost: Cost, shown: Decision, times: int) -> list[float]:
    took = []
    for _ in range(times):
        begun = time.perf_counter()
        await cost.level(shown, begun)
        took.append(time.perf_counter() - begun)
    return took


@pytest.mark.parametrize(("real", "shown"), [(SENT, SHADOW), (LIMITED, LIMITED)])
async def test_a_shadow_comes_to_take_what_the_real_one_takes(
    real: Decision, shown: Decision
) -> None:
    """Half a millisecond after at most a hundred of them."""
    cost = Cost()
    cost.learn(real, time.perf_counter() - 0.0005)
    at_first = statistics.median(await levelled(cost, shown, 5))
    await levelled(cost, shown, 110)
    in_the_end = statistics.median(await levelled(cost, shown, 15))
    assert at_first < 0.0004 < in_the_end


async def test_of_a_message_nothing_is_learnt_about_resends_and_the_other_way_round() -> None:
    cost = Cost()
    cost.learn(SENT, time.perf_counter() - 1)
    assert cost._sent.real
    assert not cost._resent.real
    cost.learn(LIMITED, time.perf_counter() - 1)
    assert len(cost._sent.real) == len(cost._resent.real) == 1
    cost.learn(BLOCKED, time.perf_counter() - 1)
    cost.learn(Decision(make_attempt(), Action.THROTTLE, degraded=True), time.perf_counter())
    assert len(cost._sent.real) == len(cost._resent.real) == 1


async def test_a_store_in_trouble_holds_up_no_shadow_for_long() -> None:
    cost = Cost()
    cost.learn(SENT, time.perf_counter() - 100)
    cost._sent.owed = 1.0
    await cost.level(SHADOW, time.perf_counter())
    assert cost._sent.owed == LONGEST


@pytest.mark.parametrize("shown", [BLOCKED, Decision(make_attempt(), Action.CHALLENGE)])
async def test_what_every_client_is_refused_by_waits_for_nothing(shown: Decision) -> None:
    cost = Cost()
    cost.learn(SENT, time.perf_counter() - 1)
    cost.learn(LIMITED, time.perf_counter() - 1)
    await cost.level(shown, time.perf_counter())
    assert cost._sent.owed == cost._resent.owed == 0
