"""The spike as a rule: it says so, and refuses nobody."""

from __future__ import annotations

import pytest

from pumpguard import Action, Policy, PolicyError
from pumpguard.counters import Spike
from pumpguard.rules import RateLimit, SendSpike
from tests.rules.trying import Trying, numbers

HOUR = 3_600


async def a_day(app: Trying) -> None:
    """One message every five minutes, for more than a day."""
    for phone in numbers(12 * 26, app):
        await app.send(phone, after=300)


async def test_three_times_the_usual_is_one_alert_and_no_refusal() -> None:
    """With the numbers behind it."""
    app = Trying(SendSpike(minimum=20))
    await a_day(app)
    decisions = [await app.send(phone, after=5) for phone in numbers(40, app)]
    assert all(decision.allowed for decision in decisions)
    assert [alert.code for alert in app.alerts] == ["SEND_SPIKE"]
    evidence = app.alerts[0].evidence
    assert evidence["count"] == 20
    assert evidence["usual"] == pytest.approx(2.0, rel=0.05)
    assert decisions[-1].score == 1.0
    await app.send(*numbers(1, app), after=601)
    assert (await app.send(*numbers(1, app))).findings == ()


async def test_attempts_are_watched_where_that_is_asked_for() -> None:
    """What is refused is no message, and may still be an attack to know of."""
    limit = RateLimit(by="network", limits="30/hour")
    app = Trying(SendSpike(minimum=40, watch=["admissions", "attempts"]), limit)
    await a_day(app)
    decisions = [await app.send(phone, after=1) for phone in numbers(60, app)]
    assert decisions[-1].action is Action.THROTTLE
    assert [alert.code for alert in app.alerts] == ["ATTEMPT_SPIKE"]


def test_it_is_part_of_the_default_chain_and_says_nothing_there_about_attempts() -> None:
    """Which would be one writing more for every request that is refused."""
    policy = Policy(send="/s")
    (rule,) = [rule for rule in policy.chain if isinstance(rule, SendSpike)]
    assert [counter.counts for counter in rule._spikes] == ["admissions"]
    assert rule._spikes[0] == Spike("send_spike")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"ratio": 0.5}, "rules.send_spike.ratio: expected 1 to 1000"),
        ({"minimum": 0}, "rules.send_spike.minimum: expected 1 or more, below 2^32"),
        ({"seconds": 605}, "rules.send_spike.seconds: expected tens of seconds"),
        ({"watch": []}, "rules.send_spike.watch: expected admissions, attempts or both"),
        ({"watch": ["sends"]}, "rules.send_spike.watch: expected a list of one of 'attempts'"),
    ],
)
def test_what_means_nothing_is_refused(wrong: dict[str, object], said: str) -> None:
    """With the path."""
    with pytest.raises(PolicyError) as error:
        Policy(send="/s", rules={"send_spike": wrong})
    assert str(error.value).startswith(said)
