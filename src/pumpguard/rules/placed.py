"""Where in a chain a rule is added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pumpguard.rules.base import Rule, RuleFunction


@dataclass(frozen=True, slots=True)
class Placed:
    """A rule for ``extra_rules`` beside the rule called ``name``; made by `before` and `after`."""

    rule: Rule | RuleFunction
    where: Literal["before", "after"]
    name: str


def before(name: str, rule: Rule | RuleFunction) -> Placed:
    """The rule, for ``extra_rules``, before the one of this name."""
    return Placed(rule, "before", name)


def after(name: str, rule: Rule | RuleFunction) -> Placed:
    """The rule, for ``extra_rules``, after the one of this name."""
    return Placed(rule, "after", name)
