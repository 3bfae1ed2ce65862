"""The contract of rules: what a rule is, all that it can say about itself, and how settings are
written."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Literal, Self, TypeAlias, TypeVar, cast

from limits import parse_many

from pumpguard.attempt import OWN_NAME, PREFIX, SUBJECTS, Attempt
from pumpguard.config import check, join
from pumpguard.counters import Counter, Reading
from pumpguard.decision import Action, Finding, Mode
from pumpguard.errors import PolicyError
from pumpguard.rules.declared import Declared

ActionName = Literal["allow", "challenge", "throttle", "block", "shadow"]

HIGH_RISK = (
    "DZ", "AZ", "BD", "IL",
    "BY", "EG", "ID", "IQ", "IR", "JO", "KG", "KW", "KZ",
    "LK", "MM", "NG", "OM", "PK", "PS", "TJ",
)  # fmt: skip
"""Destinations on at least three of four separately kept high-risk lists: Vonage burst protection,
Authgear's high-risk default, Login.gov's restricted countries, Stytch's refused ones (2026)."""

HIGHEST_LIMIT = 2**32 - 1
MOST_EARNED = 255

C = TypeVar("C", bound=Counter)


class Rule(Declared):
    """One reason to be suspicious of an attempt. Subclass it and define `judge`.

    A rule is a frozen dataclass with keyword arguments: its annotated attributes are its settings,
    in Python as in a policy file, and are checked against their annotations when a rule is made.
    The decorator ``@dataclass(frozen=True, kw_only=True)`` may be left out. A class without a
    ``name`` is called by its own name in snake case.

    A rule that needs no memory defines `judge` alone, which is then called with no readings, before
    the store is asked. A rule that counts declares its counters in `counters`, and is judged after
    the store has read them, if one of them is full. Counters carry their rule's name and never
    change: make them in a `functools.cached_property` (each is made with the rule, so mistakes are
    found then) and return the same tuple every time. The attempt says whose they are.

    Settings named ``by``, ``of`` or ``lines`` name dimensions, and the policy refuses those that it
    does not have. A class attribute or method that looks like a misspelt word of this contract is a
    `TypeError`.
    """

    name: str = ""
    """What findings, metrics and other rules call this rule; unique in a policy."""
    mode: Mode = "enforce"
    """Whether findings are enforced, only recorded, or never made."""
    action: ActionName = "throttle"
    """What this rule's findings ask for; `effect` is the same as an `Action`."""
    weight: float = 1.0
    """The factor of its findings in the risk score, above 0."""

    declares_by: ClassVar[Sequence[str] | None] = ()
    """The dimensions that decide what `counters` returns, beside ``attempt.proved``: it is asked
    once for each of their values. With ``None`` it is asked for every request; so is a class that
    defines `counters` and does not say."""
    judged_always = False
    """Judged even if none of its counters is full."""
    needs_readings = False
    """Not judged where it has declared no counters. True of a class that defines `counters` and
    does not say otherwise."""
    needs_verifications = False
    """Makes no sense where the guard is not told of verifications; such a policy is refused."""
    needs_outcomes = False
    """Has to hear what became of messages, such as to give back what was not sent: the policy then
    keeps tickets of them."""
    needs_challenge = False
    """Only recorded (mode ``monitor``) where the guard has no ``challenge=``."""
    ask_first = False
    """A refusal is told only to clients that have solved a challenge; others are asked for one.
    Where the guard has no ``challenge=``, all are refused."""

    @property
    def earned_by(self) -> Sequence[str]:
        """The dimensions whose verified users earn headroom (`pumpguard.outcomes.Outcomes`)."""
        return ()

    @property
    def outcome_dimensions(self) -> Sequence[str]:
        """The dimensions that a ticket must remember for `needs_outcomes`."""
        return ()

    def counters(self, attempt: Attempt) -> Sequence[Counter]:
        """What to count for this attempt; nothing, by default."""
        return ()

    asks = True
    """Off where the guard has no ``challenge=``: what only asks is then recorded."""

    def without_challenge(self) -> Self:
        """This rule in a guard without a ``challenge=``: one that bounds something says here where
        it refuses, now that it cannot ask."""
        return self

    def weighs(self, counter: Counter) -> bool:
        """Whether this counter puts ``weight`` into the risk score when it is full."""
        return True

    @abstractmethod
    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """Turn the readings, one for each declared counter, into a finding or nothing."""

    @cached_property
    def effect(self) -> Action:
        """The ``action`` of this rule."""
        return action_of(self.action)

    def finding(
        self,
        code: str,
        evidence: Mapping[str, object] | None = None,
        *,
        action: Action | None = None,
        retry_after: float | None = None,
        weight: float | None = None,
        subject: str | None = None,
    ) -> Finding:
        """A finding of this rule, with its action and weight unless others are given."""
        action = self.effect if action is None else action
        weight = self.weight if weight is None else weight
        evidence = {} if evidence is None else evidence
        return Finding(self.name, action, code, evidence, retry_after, weight, subject, self.mode)

    def require(self, condition: bool, setting: str, expected: str, got: object = ...) -> None:
        """Raise `PolicyError` with the setting's path unless this holds."""
        if not condition:
            found = getattr(self, setting) if got is ... else got
            raise PolicyError(join(f"rules.{self.name}", setting), expected, found)

    def __post_init__(self) -> None:
        check(self, f"rules.{self.name}")
        for each in type(self).__mro__:
            for name, value in vars(each).items():
                if isinstance(value, cached_property):
                    getattr(self, name)


RuleFunction: TypeAlias = Callable[[Attempt], Finding | None]
"""The smallest rule: a function of the attempt alone."""


class FunctionRule(Rule):
    """A plain function as a rule; made by the policy, which takes functions as they are."""

    function: RuleFunction

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        return self.function(attempt)


class RegionalRule(Rule):
    """A rule for phones of some regions (ISO 3166): ``regions``, or all but ``except_regions``."""

    regions: Sequence[str] = ()
    except_regions: Sequence[str] = ()

    def applies_to(self, attempt: Attempt) -> bool:
        region = attempt.phone.region
        return region not in self.except_regions and (not self.regions or region in self.regions)


def longest_full(
    counters: Iterable[C], readings: Iterable[Reading]
) -> tuple[C, Reading] | tuple[None, None]:
    """The full counter that stays full longest, and its reading."""
    full = (pair for pair in zip(counters, readings, strict=False) if pair[1].full)
    return max(full, key=lambda pair: pair[1].wait, default=(None, None))


def first_full(
    counters: Iterable[C], readings: Iterable[Reading]
) -> tuple[C, Reading] | tuple[None, None]:
    """The first counter that is full, and its reading."""
    full = (pair for pair in zip(counters, readings, strict=False) if pair[1].full)
    return next(full, (None, None))


def only_asking(counters: Iterable[C]) -> tuple[C, ...]:
    """The counters of a rule with ``ask_first`` for a client that has not solved a challenge: it is
    asked for one, which gives no strike.

    Solutions are sold at a dollar a thousand: what a number's owner earns by one message pays for
    ten of them or more, and for none if most are refused all the same.
    """
    return tuple(
        cast(C, replace(cast(Any, each), action=min(each.action, Action.CHALLENGE)))
        for each in counters
    )


def action_of(name: ActionName) -> Action:
    """An action by its name in a policy."""
    return Action[name.upper()]


def parse_limits(text: str, path: str) -> tuple[tuple[int, int], ...]:
    """``(limit, seconds)`` pairs of ``"1/minute; 5/day"`` and its like, shortest window first.

    Raises `PolicyError` for what cannot be read, for two limits over the same time, and for a
    longer window that admits fewer than a shorter one, which could then never fill.
    """
    try:
        items = parse_many(text)
    except (ValueError, TypeError):
        expected = "limits such as '1/minute; 5 per day; 10 per 7 days'"
        raise PolicyError(path, expected, text) from None
    pairs = sorted((item.get_expiry(), item.amount) for item in items)
    for seconds, amount in pairs:
        if not (0 < amount <= HIGHEST_LIMIT and seconds > 0):
            raise PolicyError(path, f"amounts from 1 to {HIGHEST_LIMIT}", text)
    for (short, few), (long, many) in pairwise(pairs):
        if short == long:
            raise PolicyError(path, "one limit per length of time", text)
        if many < few:
            raise PolicyError(path, "a longer time to allow at least as much as a shorter", text)
    return tuple((amount, seconds) for seconds, amount in pairs)


def check_earned(earned: int, limit: int, rule: str) -> None:
    """Raise `PolicyError` unless a limit can be so many times as high."""
    if not (1 <= earned <= MOST_EARNED and limit * earned <= HIGHEST_LIMIT):
        expected = f"1 to {MOST_EARNED}, and a countable limit"
        raise PolicyError(f"rules.{rule}.earned", expected, earned)


def check_dimensions(by: str | Sequence[str], path: str) -> str:
    """The dimensions as counters name them, joined by ``+``. Raises `PolicyError`. Whether there is
    one of the policy's own by this name, the policy checks."""
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if not OWN_NAME.match(name):
            check_dimension(name, path)
    if not names:
        raise PolicyError(path, "at least one dimension", by)
    return "+".join(names)


def check_dimension(name: str, path: str, own: Iterable[str] = ()) -> None:
    """Raise `PolicyError` unless this is a dimension, a block of numbers or one of ``own``."""
    depth = name.removeprefix(PREFIX)
    is_prefix = name.startswith(PREFIX) and len(depth) == 1 and depth in "123456789"
    if name not in SUBJECTS and name not in own and not is_prefix:
        known = ", ".join((*SUBJECTS, *own))
        expected = f"one of {known}, 'prefix:1' to 'prefix:9', or one that `dimensions` names"
        raise PolicyError(path, expected, name)
