"""The rules, a file each. They know neither HTTP nor Redis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pumpguard.rules.base import FunctionRule, RegionalRule, Rule, RuleFunction
from pumpguard.rules.budget import Budget
from pumpguard.rules.conversion import Conversion
from pumpguard.rules.credit import Credit
from pumpguard.rules.geo_mismatch import GeoMismatch
from pumpguard.rules.network import Network
from pumpguard.rules.number import Number
from pumpguard.rules.prefix_pattern import PrefixPattern
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.rules.send_spike import SendSpike
from pumpguard.rules.sliding_ban import ShadowBan, SlidingBan
from pumpguard.rules.spread import Spread
from pumpguard.rules.unsent_limit import UnsentLimit

RULE_CLASSES: dict[str, type[Rule]] = {
    "budget": Budget, "conversion": Conversion, "credit": Credit, "geo_mismatch": GeoMismatch,
    "network": Network, "number": Number, "prefix_pattern": PrefixPattern, "rate_limit": RateLimit,
    "send_spike": SendSpike, "shadow_ban": ShadowBan, "sliding_ban": SlidingBan, "spread": Spread,
    "unsent_limit": UnsentLimit,
}  # fmt: skip
"""What a policy file may name in ``rule = "…"``."""


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


__all__ = [
    "RULE_CLASSES", "Budget", "Conversion", "Credit", "FunctionRule", "GeoMismatch", "Network",
    "Number", "Placed", "PrefixPattern", "RateLimit", "RegionalRule", "Rule", "RuleFunction",
    "SendSpike", "ShadowBan", "SlidingBan", "Spread", "UnsentLimit", "after",
    "before",
]  # fmt: skip
