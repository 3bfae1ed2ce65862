"""Countries that are not home and whose users verify: what lines of credit have made of that."""

from __future__ import annotations

from dataclasses import dataclass

from phonenumbers import SUPPORTED_REGIONS, PhoneNumberFormat, example_number, format_number

from pumpguard.attempt import Attempt, Client
from pumpguard.counters import Credit
from pumpguard.counters.plan import Plan
from pumpguard.intake.phone import canonical
from pumpguard.policy import Policy
from pumpguard.store.base import Question, Store
from pumpguard.store.overrides import VERSION_BYTES

RULE = "country_credit"
"""The rule of the default chain that asks for proof, by what a country that is not home owes."""


@dataclass(frozen=True, slots=True)
class Market:
    """A country whose line has grown, in USD: what was verified there on the best of 14 days, less
    what nobody has verified since, what it may owe before strangers are asked for proof, and what
    any such country may."""

    country: str
    verified: float
    line: float
    usual: float

    def __str__(self) -> str:
        return (
            f"{self.country}: ${self.verified:,.2f} verified on the best of 14 days, less what was "
            f"not since; may owe ${self.line:,.2f} before proof is asked for, others "
            f"${self.usual:,.2f}"
        )


async def markets(policy: Policy, store: Store, at: float | None = None) -> list[Market]:
    """All such countries, the largest first, ``at`` a Unix time instead of the store's own. One
    trip for each country; nothing is counted. Raises `StoreError`."""
    rule = {each.name: each for each in policy.chain if each.mode != "off"}.get(RULE)
    version = (await store.overrides.read())[:VERSION_BYTES]
    found = []
    if rule is None:
        return []
    for region in sorted(SUPPORTED_REGIONS - set(policy.home)):
        number = example_number(region)
        assert number is not None  # noqa: S101 - each of them has one
        attempt = Attempt(canonical(format_number(number, PhoneNumberFormat.E164)), Client())
        lines = [each for each in rule.counters(attempt) if isinstance(each, Credit)]
        plan = Plan(lines, [False] * len(lines))
        question = Question(
            plan, tuple(attempt.subject(by) or "" for by in plan.groups), refused=True, at=at,
            calling_code=str(number.country_code), overrides_version=version,
        )  # fmt: skip
        readings = (await store.decide(question)).readings
        for line, reading in zip(lines, readings.values(), strict=False):
            amount, best = reading.detail
            if amount > line.limit:
                found.append(Market(region, best / 1e6, amount / 1e6, line.limit / 1e6))
    return sorted(found, key=lambda market: -market.verified)
