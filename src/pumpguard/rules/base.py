"""What a rule is: it declares what should be counted, then judges what was counted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from pumpguard.attempt import Attempt
from pumpguard.config import join
from pumpguard.counters import Counter, Reading
from pumpguard.decision import Action, Finding, Mode
from pumpguard.errors import PolicyError

ActionName = Literal["allow", "challenge", "throttle", "block", "shadow"]


@runtime_checkable
class Rule(Protocol):
    """One reason to be suspicious, as two pure methods.

    A rule that declares no counters for an attempt is judged before the store is asked (not at all,
    if it has an attribute ``needs_readings`` that is true); any other is judged after, if one of
    its counters is full (or always, if it has an attribute ``always`` that is true). Return the
    same tuple of counters every time: they say what is counted, and the attempt says whose.
    Counters carry their rule's name: bans know by it what they are fed by.

    What a finding of a rule without counters puts into the risk score is its own ``weight``. A rule
    with counters has an attribute ``weight`` (or weighs nothing), because the store has to know it
    beforehand, and may have a method ``weighs(counter)`` that excepts some of them.

    A class whose `counters` depends on nothing but some dimensions of the attempt (and on
    ``proved``) may name them in ``declares_by``, beside the method; it is then asked once for each
    of their values instead of for every request.
    """

    @property
    def name(self) -> str:
        """What findings, metrics and other rules call this rule; unique in a policy."""
        ...

    @property
    def mode(self) -> Mode:
        """Whether findings are enforced, only recorded, or never made."""
        ...

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """What to count for this attempt; empty for a rule that needs no memory."""
        ...

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Turn the readings, one per declared counter, into a finding or nothing."""
        ...


RuleFunction: TypeAlias = Callable[[Attempt], Finding | None]
"""The smallest rule: a function of the attempt alone."""


class FunctionRule:
    """A plain function as a rule; made by the policy, which takes functions as they are."""

    mode: Mode = "enforce"
    declares_by: ClassVar[Sequence[str]] = ()

    def __init__(self, function: RuleFunction) -> None:
        self.function = function
        self.name = getattr(function, "__name__", type(function).__name__)

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """None: a function remembers nothing."""
        return ()

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Whatever the function says."""
        return self.function(attempt)


def action_of(name: ActionName) -> Action:
    """An action by its name in a policy."""
    return Action[name.upper()]


def asked_first(action: Action, attempt: Attempt) -> Action:
    """A refusal that is told only to who has solved a challenge; all others are asked for one.

    Solutions are sold at a dollar a thousand: what a number's owner earns by one message pays for
    ten of them or more, and for none if most are refused all the same.
    """
    return action if attempt.proved else min(action, Action.CHALLENGE)


def require(condition: bool, rule: str, field: str, expected: str, got: object) -> None:
    """Refuse a rule whose values contradict each other, naming the path."""
    if not condition:
        raise PolicyError(join(f"rules.{rule}", field), expected, got)
