"""The guard: rules in, one decision out, whatever happens to the store or to a rule."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from pumpguard import Action, Decision, Finding, Guard, IntakeError, Policy, PolicyError, StoreError
from pumpguard.attempt import Attempt
from pumpguard.challenges.base import Challenge
from pumpguard.counters import Counter, Reading, Window
from pumpguard.intake.network import UnknownNetworks
from pumpguard.risk import Risk
from pumpguard.rules import GeoMismatch, Number, RateLimit, Rule, SlidingBan
from pumpguard.scores import LookupScore
from pumpguard.store.base import Answer, Question
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import FakeClock, SimulatedHuman, make_attempt
from tests.rules.trying import Trying

COOLDOWN = RateLimit(name="cooldown", by="phone", limits="1/minute")


async def test_the_strictest_enforced_finding_decides() -> None:
    """And all others stand beside it, enforced ones first."""
    app = Trying(
        GeoMismatch(),
        RateLimit(name="watched", by="network", limits="1/hour", action="block", mode="monitor"),
        COOLDOWN,
        SlidingBan(strikes="50 per 5 minute"),
    )
    await app.send(country="GB")
    decision = await app.send(country="RO")
    assert decision.action is Action.THROTTLE
    assert [finding.rule for finding in decision.findings] == [
        "cooldown",
        "geo_mismatch",
        "watched",
    ]
    assert decision.finding is decision.findings[0]


async def test_a_refused_request_is_charged_nowhere() -> None:
    """What refuses from the request alone charges nothing."""
    app = Trying(GeoMismatch(), COOLDOWN)
    assert (await app.send(country="RO")).action is Action.CHALLENGE
    assert await app.allows(country="GB")


async def test_a_plain_function_is_a_rule() -> None:
    """The smallest rule there is."""

    def no_french_numbers(attempt: Attempt) -> Finding | None:
        if attempt.phone.region == "FR":
            return Finding("", Action.BLOCK, "NON")
        return None

    guard = Guard(Policy(send="/s", rules=[no_french_numbers]), networks=UnknownNetworks())
    decision = await guard.assess(make_attempt("+33612345678"))
    assert decision.action is Action.BLOCK
    assert decision.finding is not None
    assert decision.finding.rule == "no_french_numbers"
    assert (await guard.assess(make_attempt())).allowed


class TwoPerDevice(Rule):
    """A rule of one's own: a small class with two methods."""

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        return (Window(self.name, "device", 2, 3600),)

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        if readings and readings[0].full:
            return Finding(self.name, Action.THROTTLE, "DEVICE", retry_after=readings[0].wait)
        return None


async def test_a_rule_of_ones_own_declares_and_judges() -> None:
    """It picks kinds of counters and writes no Lua."""
    app = Trying(TwoPerDevice())
    assert [await app.allows(device="d") for _ in range(3)] == [True, True, False]
    assert await app.allows()


class BrokenDeclaration(TwoPerDevice):
    name = "broken"

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        raise RuntimeError("a bug")


class BrokenJudgement(TwoPerDevice):
    name = "broken"
    judged_always = True

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        raise RuntimeError("a bug")


class NoFinding(TwoPerDevice):
    name = "broken"
    judged_always = True

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        return cast(Finding, "refused")


@pytest.mark.parametrize("broken", [BrokenDeclaration, BrokenJudgement, NoFinding])
async def test_a_rule_that_raises_is_silent_and_harms_no_other(
    broken: type[TwoPerDevice], caplog: pytest.LogCaptureFixture
) -> None:
    """A bug in one rule neither opens the others nor breaks the endpoint."""
    app = Trying(broken(), COOLDOWN)
    with caplog.at_level(logging.ERROR):
        assert await app.allows(device="d")
        assert not await app.allows(device="d")
    assert "PG020 rule 'broken' raised an exception" in caplog.text


class Curious(TwoPerDevice):
    """A rule that wants every reading, and makes its counters anew each time."""

    name = "curious"
    judged_always = True

    def __init__(self) -> None:
        self.seen: list[int] = []

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        return [Window(self.name, "device", 100, 3600), Window(self.name, "session", 5, 60)]

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        self.seen.append(readings[0].used)
        return None


async def test_a_rule_may_ask_to_be_always_judged() -> None:
    """It is then told every reading, of what the attempt has; the rest reads 0."""
    rule = Curious()
    app = Trying(rule, COOLDOWN)
    for i in range(4):
        await app.send(f"+44740012345{i}", device="d")
    assert rule.seen == [0, 1, 2, 3]


class Mute(TwoPerDevice):
    name = "mute"

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        return None


async def test_what_was_not_charged_is_not_sent() -> None:
    """A limit that refused is a refusal even if its rule has nothing to say about it."""
    app = Trying(Mute())
    assert [await app.allows(device="d") for _ in range(3)] == [True, True, False]


async def test_a_static_refusal_costs_no_trip() -> None:
    """Unless it feeds a strike."""
    store = Counting()
    guard = Guard(Policy(send="/s", rules=[Number(), COOLDOWN]), store)
    assert not (await guard.assess(make_attempt("+441111111111"))).allowed
    assert store.trips == 0
    striking = [Number(), COOLDOWN, SlidingBan(strikes="3/hour", after=["number"])]
    guard = Guard(Policy(send="/s", rules=striking), store)
    assert not (await guard.assess(make_attempt("+441111111111"))).allowed
    assert store.trips == 1


class Counting(MemoryStore):
    """A store that lets everything through and counts its trips."""

    def __init__(self) -> None:
        super().__init__()
        self.trips = 0

    async def decide(self, question: Question) -> Answer:
        self.trips += 1
        return Answer(not question.refused, {}, 0.0)


class Away(Counting):
    """A store that never answers."""

    async def decide(self, question: Question) -> Answer:
        raise StoreError("away")


def without_a_store(**policy: Any) -> Guard:
    return Guard(
        Policy(send="/s", rules=[Number(), RateLimit(by="phone", limits="4/hour")], **policy),
        Away(),
        clock=FakeClock(),
        networks=UnknownNetworks(),
    )


async def outcomes(guard: Guard, requests: int) -> list[Decision]:
    return [await guard.assess(make_attempt(at=1000.0)) for _ in range(requests)]


@pytest.mark.parametrize(("workers", "admitted"), [(1, 4), (2, 2), (4, 1), (9, 1)])
async def test_blind_it_keeps_its_share_of_each_limit(workers: int, admitted: int) -> None:
    """Without the store each process admits L / workers, at least one, and says so."""
    decisions = await outcomes(without_a_store(workers=workers), 8)
    assert sum(decision.allowed for decision in decisions) == admitted
    assert all(decision.degraded for decision in decisions)


async def test_blind_and_open_lets_through_what_no_rule_refuses_by_itself() -> None:
    """An unallocated number stays refused."""
    guard = without_a_store(on_store_failure="open")
    assert all(decision.allowed for decision in await outcomes(guard, 8))
    assert not (await guard.assess(make_attempt("+441111111111"))).allowed


async def test_blind_and_closed_refuses_for_a_moment() -> None:
    """With a Retry-After, since it is the store's fault."""
    decisions = await outcomes(without_a_store(on_store_failure="closed"), 3)
    assert [decision.action for decision in decisions] == [Action.THROTTLE] * 3
    assert decisions[0].retry_after == 1


async def test_workers_can_ask_without_http() -> None:
    """A task queue has a phone and perhaps an address."""
    guard = Guard(Policy(send="/s", rules=[COOLDOWN]))
    attempt = guard.attempt("+44 7400 123456", "2001:db8::1", session="s")
    assert attempt.phone.e164 == "+447400123456"
    assert attempt.client.network == "2001:db8::/64"
    assert attempt.price == 0.05
    assert (await guard.assess(attempt)).allowed
    assert not (await guard.assess(attempt)).allowed
    with pytest.raises(IntakeError):
        guard.attempt("nonsense")


async def test_a_decision_explains_itself_without_naming_anybody() -> None:
    """Its reference, rule, code, numbers; the phone and the address masked."""
    app = Trying(COOLDOWN)
    await app.send("+447400123456")
    refused = await app.send("+447400123456")
    assert refused.reference
    assert refused.explain() == (
        f"throttle {refused.reference}: +447400123••• (GB) for 81.2.69.• (unknown)\n"
        "  cooldown: RATE_LIMIT → throttle [by=phone, used=1, limit=1, seconds=60]"
    )


def test_a_challenge_that_nobody_can_solve_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """At start, and only where a rule would put one."""
    for challenge in (None, SimulatedHuman()):
        Guard(Policy(send="/s", rules=[GeoMismatch()]), challenge=challenge)
    Guard(Policy(send="/s", rules=[COOLDOWN]))
    Guard(Policy(send="/s", rules=[GeoMismatch(mode="monitor")]))
    assert caplog.text.count("PG003") == 1
    assert "let clients pass within wider limits (geo_mismatch)" in caplog.text


async def test_every_decision_is_told_once() -> None:
    """Allowed or refused; and a listener that fails harms nobody."""
    told: list[Decision] = []
    guard = Guard(Policy(send="/s", rules=[COOLDOWN]), on_decision=told.append)
    async with guard:
        for _ in range(3):
            await guard.assess(make_attempt())
    assert [str(decision.action) for decision in told] == ["allow", "throttle", "throttle"]


class Listener:
    """An object that wants to be awaited."""

    async def __call__(self, decision: Decision) -> None:
        """Never called."""


async def tell(decision: Decision, to: str = "everybody") -> None:
    """Never called."""


@pytest.mark.parametrize("listener", [tell, partial(tell, to="me"), Listener()])
def test_a_listener_that_wants_to_be_awaited_is_refused(listener: Any) -> None:
    """Nobody awaits it, so it would never run, and nobody would notice."""
    with pytest.raises(PolicyError, match=r"^on_decision: expected a plain function"):
        Guard(Policy(send="/s", rules=[COOLDOWN]), on_decision=listener)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"on_refusal": lambda decision: None}, "on_refusal: expected a function of a refusal and"),
        ({"on_refusal": 403}, "on_refusal: expected a function of a refusal and"),
        ({"on_decision": lambda: None}, "on_decision: expected a function of 1 argument,"),
        ({"on_alert": lambda alert, to: None}, "on_alert: expected a function of 1 argument,"),
    ],
)
def test_a_hook_that_could_not_be_called_is_refused(given: Any, expected: str) -> None:
    """And not noticed at the first refusal. More arguments with defaults do no harm, and a function
    that does not say what it takes is believed."""
    with pytest.raises(PolicyError, match=f"^{expected}"):
        Guard(Policy(send="/s", rules=[COOLDOWN]), **given)

    def page(refused: object, request: object, language: str = "en") -> None:
        """Leaves it at the problem."""

    heard: list[Decision] = []
    more: Any = {}.update
    Guard(
        Policy(send="/s", rules=[COOLDOWN]),
        on_refusal=page,
        on_decision=heard.append,
        on_alert=more,
    )


async def test_a_guard_reads_its_policy_from_a_file(tmp_path: Path) -> None:
    """By its path, as a text or a `Path`; a missing file is named."""
    file = tmp_path / "policy.toml"
    file.write_text('send = "/otp/send"\nname = "mine"\n')
    for path in (file, str(file)):
        async with Guard(path) as guard:
            assert guard.policy == Policy.from_toml(file)
    with pytest.raises(PolicyError, match="No such file"):
        Guard(tmp_path / "none.toml")


def test_a_store_that_is_none_is_a_policy_error() -> None:
    """As an environment variable that is not set makes it."""
    with pytest.raises(PolicyError, match=r"^store: expected a URL .*, got None$") as error:
        Guard(Policy(send="/s"), None)  # type: ignore[arg-type]
    assert error.value.path == "store"


@pytest.mark.parametrize("part", ["networks", "challenge", "score"])
@pytest.mark.parametrize("wrong", ["a class", "GeoLite2-Country.mmdb", "", 0, object()])
def test_a_wrong_object_is_a_policy_error(part: str, wrong: object) -> None:
    """A class in place of an instance, a path, or anything else that cannot do what is asked."""
    classes = {"networks": UnknownNetworks, "challenge": Challenge, "score": LookupScore}
    given: Any = {part: classes[part] if wrong == "a class" else wrong}
    with pytest.raises(
        PolicyError, match=rf"^{part}: expected an object \(no class\) with "
    ) as error:
        Guard(Policy(send="/s", risk=Risk(mode="enforce")), **given)
    assert error.value.path == part


async def test_the_whole_default_chain_lets_an_ordinary_user_through() -> None:
    """First code, a resend after a minute, from a home address."""
    clock = FakeClock()
    guard = Guard(Policy(send="/s", home=["GB"]), clock=clock, networks=UnknownNetworks())
    for _ in range(2):
        attempt = make_attempt("+447400123456", country="GB", at=clock.advance(61))
        decision = await guard.assess(attempt)
        assert decision.allowed, decision.explain()
        assert decision.findings == ()


async def test_a_policy_that_keeps_nothing_of_outcomes_takes_them_all_the_same() -> None:
    """An app need not know which rules its policy has."""
    guard = Guard(Policy(send="/s", rules=()))
    decision = await guard.assess(make_attempt())
    guard.settle(decision, "not_sent")
    guard.verified("+447400123456")
    guard.reports.not_understood("number", "it has none")
    guard.reports.code_entered((decision.attempt.phone,), None)
    guard.reports.admitted(decision.attempt, "flow")
    await guard.reports.give_back(decision)
    assert guard.observations.snapshot()["deaf"] is False
    await guard.aclose()
