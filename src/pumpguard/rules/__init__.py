"""The rules, a file each. They know neither HTTP nor Redis."""

from pumpguard.rules.base import FunctionRule, RegionalRule, Rule, RuleFunction
from pumpguard.rules.budget import Budget
from pumpguard.rules.conversion import Conversion
from pumpguard.rules.credit import Credit
from pumpguard.rules.geo_mismatch import GeoMismatch
from pumpguard.rules.network import Network
from pumpguard.rules.number import Number
from pumpguard.rules.placed import Placed, after, before
from pumpguard.rules.prefix_pattern import PrefixPattern
from pumpguard.rules.rate_limit import RateLimit
from pumpguard.rules.send_spike import SendSpike
from pumpguard.rules.shadow_ban import ShadowBan
from pumpguard.rules.sliding_ban import SlidingBan
from pumpguard.rules.spread import Spread

KINDS: dict[str, type[Rule]] = {
    "budget": Budget,
    "conversion": Conversion,
    "credit": Credit,
    "geo_mismatch": GeoMismatch,
    "network": Network,
    "number": Number,
    "prefix_pattern": PrefixPattern,
    "rate_limit": RateLimit,
    "send_spike": SendSpike,
    "shadow_ban": ShadowBan,
    "sliding_ban": SlidingBan,
    "spread": Spread,
}
"""What a policy file may name in ``rule = "…"``."""

__all__ = [
    "KINDS",
    "Budget",
    "Conversion",
    "Credit",
    "FunctionRule",
    "GeoMismatch",
    "Network",
    "Number",
    "Placed",
    "PrefixPattern",
    "RateLimit",
    "RegionalRule",
    "Rule",
    "RuleFunction",
    "SendSpike",
    "ShadowBan",
    "SlidingBan",
    "Spread",
    "after",
    "before",
]
