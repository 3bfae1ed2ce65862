"""Escalation: one step at a time, never above its highest, never over a person's override."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Finding, Guard, Policy, PolicyError
from pumpguard.attempt import Attempt
from pumpguard.intake.network import UnknownNetworks
from pumpguard.overrides.posture import Escalation, Posture, Step
from pumpguard.store.base import Store
from pumpguard.testing import FakeClock, make_attempt
from tests.conftest import PATIENT

ESCALATION = Escalation(highest="known_only", pause=300, calm=900)
NOTHING = Posture.NORMAL


def spikes(attempt: Attempt) -> Finding | None:
    """A rule that finds a spike whenever the session says so."""
    found = attempt.session == "spike"
    return Finding("", Action.ALLOW, "SEND_SPIKE") if found else None


class Fleet:
    """Two guards of one policy with an escalation, and a clock."""

    def __init__(self, store: Store, **policy: Any) -> None:
        self.clock = FakeClock()
        made = {"escalation": ESCALATION, "rules": [spikes], "deadline": PATIENT, **policy}
        self.guards = [
            Guard(Policy(send="/s", **made), store, clock=self.clock, networks=UnknownNetworks())
            for _ in range(2)
        ]

    async def sends(self, spike: bool = False, after: float = 0.0) -> list[Action]:
        """One attempt in each process, one after the other."""
        now = self.clock.advance(after)
        facts: dict[str, Any] = {"session": "spike"} if spike else {}
        actions = []
        for guard in self.guards:
            guard._sync.invalidate()  # as after half a second
            actions.append((await guard.assess(make_attempt(at=now, **facts))).action)
            await guard.settled()
        return actions

    async def posture(self) -> Posture:
        return (await self.guards[0].overrides.show()).fleet(self.clock())


async def test_it_steps_up_on_an_alert_and_down_when_all_is_calm(store: Store) -> None:
    """One rung at once, the next when it was held for a while; down the same way, by itself."""
    fleet = Fleet(store)
    assert await fleet.sends() == [Action.ALLOW] * 2
    assert await fleet.sends(spike=True) == [Action.ALLOW, Action.CHALLENGE]
    assert await fleet.sends() == [Action.CHALLENGE] * 2
    await fleet.sends(spike=True, after=299)
    assert await fleet.posture() is Posture.CHALLENGE_ALL
    assert await fleet.sends(spike=True, after=1) == [Action.CHALLENGE, Action.THROTTLE]
    await fleet.sends(spike=True, after=400)
    assert await fleet.posture() is Posture.KNOWN_ONLY  # its last rung
    assert await fleet.sends(after=899) == [Action.THROTTLE] * 2
    assert await fleet.sends(after=1) == [Action.CHALLENGE] * 2
    assert await fleet.sends(after=900) == [Action.ALLOW] * 2


async def test_without_an_escalation_nothing_moves(store: Store) -> None:
    """It is opt-in."""
    fleet = Fleet(store, escalation=None)
    await fleet.sends(spike=True)
    assert (await fleet.guards[0].overrides.show()).version == 0


async def test_a_persons_order_is_never_overridden(store: Store) -> None:
    """Neither a mild nor a strict one; a normal one without an end only ends what there was."""
    fleet = Fleet(store)
    admin = fleet.guards[0].overrides
    await fleet.sends(spike=True)
    await admin.posture("normal", seconds=600, author="mike")
    for _ in range(3):
        assert await fleet.sends(spike=True, after=100) == [Action.ALLOW] * 2
    await admin.posture("closed", seconds=100, author="mike")
    await fleet.sends(spike=True)
    assert await fleet.posture() is Posture.CLOSED
    await fleet.sends(after=100)
    assert await fleet.posture() is Posture.NORMAL
    await admin.posture("normal", author="mike")
    await fleet.sends(spike=True)
    assert await fleet.posture() is Posture.CHALLENGE_ALL


async def test_many_processes_take_one_step(store: Store) -> None:
    """Whoever is first; what it writes tells the others that it is done."""
    fleet = Fleet(store)
    for _ in range(5):
        await fleet.sends(spike=True, after=1)
    document = await fleet.guards[0].overrides.show()
    assert document.step is not None
    assert document.step.posture is Posture.CHALLENGE_ALL
    version = document.version
    await fleet.sends(spike=True, after=100)
    assert (await fleet.guards[0].overrides.show()).version == version  # still calm / 4 to go


async def test_a_rule_in_monitor_moves_nothing(store: Store) -> None:
    """Its findings are recorded, and that is all."""
    fleet = Fleet(store, rules={"send_spike": {"mode": "monitor"}})
    step = ESCALATION.next_step(None, 0.0, "SEND_SPIKE")
    assert step is not None
    await fleet.sends(spike=True)
    assert (await fleet.guards[0].overrides.show()).step is None


TIMES = st.lists(st.tuples(st.floats(0.0, 2_000.0), st.booleans()), max_size=60)


@given(TIMES, st.sampled_from(["challenge_all", "known_only", "closed"]))
def test_it_never_jumps_and_never_flaps(events: list[tuple[float, bool]], highest: Any) -> None:
    """Whenever alerts come: up by one and only after `pause`, down by one and only after `calm`."""
    escalation = Escalation(highest=highest, pause=300, calm=900)
    step: Step | None = None
    now, rung, reached, heard = 0.0, NOTHING, float("-inf"), float("-inf")
    for pause, alert in events:
        for _ in range(int(pause) + 1):  # by the second
            now += pause / (int(pause) + 1)
            standing = step.posture_at(now) if step else NOTHING
            if standing is not rung:
                assert standing == rung - 1
                assert now - heard >= 0.75 * 900
                rung, reached = standing, now
        if alert:
            changed = escalation.next_step(step, now, "SEND_SPIKE")
            if changed is not None:
                step, heard = changed, now
            standing = step.posture_at(now) if step else NOTHING
            if standing is not rung:
                assert standing == rung + 1
                assert rung is NOTHING or now - reached >= 299
                rung, reached = standing, now
            assert NOTHING < rung <= Posture[highest.upper()]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"pause": 0.0}, "escalation.pause: expected seconds, 1 to a week"),
        ({"on": ["LOUD"]}, "escalation.on.0: expected one of BUDGET_ALERT"),
        ({"on": []}, "escalation.on: expected at least one code"),
        ({"highest": "observe"}, "escalation.highest: expected one of 'challenge_all'"),
        ({"speed": 2}, "escalation.speed: expected one of calm, highest, on, pause"),
    ],
)
def test_an_escalation_that_means_nothing_is_refused(wrong: dict[str, Any], said: str) -> None:
    """As a policy is, with the path."""
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", escalation=wrong)  # type: ignore[arg-type]
    assert str(error.value).startswith(said)


async def test_of_two_that_write_at_once_the_person_wins(store: Store) -> None:
    """A process that has not heard of the person's posture yet writes nothing over it."""
    fleet = Fleet(store)
    admin = fleet.guards[0].overrides
    before = await admin.posture("known_only", author="mike")
    assert await admin.escalate(ESCALATION, "SEND_SPIKE") == before
    assert await fleet.posture() is Posture.KNOWN_ONLY
