"""What becomes of the class of a rule: its settings, its name, and its misspelt words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import FrozenInstanceError, dataclass, field, replace
from functools import cached_property
from typing import Any, ClassVar

import pytest

from pumpguard import Action, Attempt, Finding, PolicyError, Reading, Rule, Window
from pumpguard.testing import Trial, make_attempt


class NightRule(Rule):
    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        return self.finding("NIGHT")


class WithSettings(NightRule):
    name = "with"
    action = "block"
    prefixes: Mapping[str, int] = field(default_factory=dict)
    limit: int = 3


class Counting(NightRule):
    limit: int = 3

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        self.require(self.limit > 0, "limit", "at least 1")
        return (Window(self.name, "phone", self.limit, 60),)

    def counters(self, attempt: Attempt) -> Sequence[Window]:
        return self.windows


async def test_the_smallest_class_is_a_rule() -> None:
    """It has all that a chain asks for, and its own name in snake case."""
    rule = NightRule()
    assert (rule.name, rule.mode, rule.weight, rule.effect) == (
        "night_rule", "enforce", 1.0, Action.THROTTLE,
    )  # fmt: skip
    assert (await Trial(rule).send()).findings == (rule.finding("NIGHT"),)


def test_annotated_attributes_are_settings_and_others_are_new_defaults() -> None:
    """Without a decorator; frozen, compared and replaced as a dataclass is."""
    rule = WithSettings(limit=5)
    assert (rule.name, rule.effect, rule.prefixes, rule.limit) == ("with", Action.BLOCK, {}, 5)
    assert replace(rule, mode="monitor", limit=3) == WithSettings(mode="monitor")
    with pytest.raises(FrozenInstanceError):
        rule.limit = 6


@pytest.mark.parametrize(
    "decorate",
    [
        dataclass(frozen=True, kw_only=True),
        dataclass(frozen=True, slots=True, kw_only=True),
    ],
)
def test_a_decorator_changes_nothing(decorate: Callable[[Any], Any]) -> None:
    """Even one that makes the class twice, and above a class that has none."""

    class Plain(NightRule):
        limit: int = 3

    class Decorated(Plain):
        seconds: int = 60
        names: Mapping[str, int] = field(default_factory=dict)

    kind = decorate(Decorated)
    rule = kind(limit=5, mode="monitor")
    assert (rule.name, rule.limit, rule.seconds, rule.names) == ("decorated", 5, 60, {})
    assert type(rule) is kind
    assert kind(limit=5, mode="monitor") == rule


def test_settings_are_checked_when_a_rule_is_made() -> None:
    """Against their annotations, and whatever counters are made of."""
    wrong: list[dict[str, Any]] = [{"limit": "5"}, {"limit": 0}, {"mode": 1}]
    for settings in wrong:
        with pytest.raises(PolicyError) as error:
            Counting(**settings)
        assert error.value.path == f"rules.counting.{next(iter(settings))}"


def test_who_declares_counters_is_asked_each_time_and_judged_by_readings_unless_it_says() -> None:
    """What a base class said of its own counters does not hold for others."""

    class Says(Counting):
        declares_by = ("country",)
        needs_readings = False

        def counters(self, attempt: Attempt) -> Sequence[Window]:
            return ()

    class Again(Says):
        def counters(self, attempt: Attempt) -> Sequence[Window]:
            return ()

    each = [(rule.declares_by, rule.needs_readings) for rule in (Counting, Says, Again, NightRule)]
    assert each == [(None, True), (("country",), False), (None, True), ((), False)]
    assert Counting().counters(make_attempt()) == Counting().windows


@pytest.mark.parametrize(
    ("body", "meant"),
    [
        ({"needs_verification": True}, "needs_verifications"),
        ({"need_readings": True}, "needs_readings"),
        ({"judge_always": True}, "judged_always"),
        ({"weigth": 2.0}, "weight"),
        ({"asks_first": True}, "ask_first"),
        ({"juge": NightRule.judge}, "judge"),
        ({"counter": NightRule.counters}, "counters"),
        (
            {"judges_always": True, "__annotations__": {"judges_always": ClassVar[bool]}},
            "judged_always",
        ),
    ],
)
def test_a_misspelt_word_is_refused_with_the_right_one(body: dict[str, Any], meant: str) -> None:
    """It would have been ignored."""
    with pytest.raises(TypeError, match=f"did you mean '{meant}'"):
        type("Misspelt", (NightRule,), body)


@pytest.mark.parametrize("word", ["judge", "counters"])
def test_a_coroutine_function_is_refused(word: str) -> None:
    """Nobody would await it."""

    async def asynchronous(self: Rule, *_: object) -> None: ...

    with pytest.raises(TypeError, match=f"Waiting.{word} has to be a plain function"):
        type("Waiting", (NightRule,), {word: asynchronous})


async def test_a_trial_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """What a guard says of how it is set up would be about no app; two trials are two guards. That
    it refuses something is all that it says, at INFO."""
    for _ in range(2):
        assert not (await Trial(NightRule()).send()).allowed
    assert [each for each in caplog.records if each.name != "pumpguard.decisions"] == []


def test_settings_and_private_names_may_be_called_anything() -> None:
    """Whoever annotates a setting means it."""

    class Own(NightRule):
        actions: Sequence[str] = ()
        _weights = (1, 2)

        def about(self) -> str:
            return "a word of its own"

    assert Own(actions=["x"]).actions == ("x",)


def test_a_class_with_an_init_of_its_own_stays_a_plain_one() -> None:
    """It may keep what it likes, and has the defaults of its class."""

    class Remembering(NightRule):
        name = "memory"
        mode = "monitor"

        def __init__(self, size: int) -> None:
            self.seen = [0] * size

    again: Any = type("Again", (Remembering,), {})
    rule = again(2)
    assert (rule.seen, rule.mode, rule.effect, rule.name) == (
        [0, 0], "monitor", Action.THROTTLE, "again",
    )  # fmt: skip


def test_a_rule_that_judges_nothing_cannot_be_made() -> None:
    """It would be silent for ever."""

    class Empty(Rule):
        limit: int = 3

    with pytest.raises(TypeError, match="judge"):
        Empty()  # type: ignore[abstract]
