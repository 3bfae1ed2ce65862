"""Counters, findings and bans in words, with the numbers behind them."""

from __future__ import annotations

from pumpguard.counters import Ban, Counter, Credit, Distinct, Neighbours, Reading, Spend
from pumpguard.counters.base import Limited
from pumpguard.decision import Action, Decision, Finding
from pumpguard.money.solve import dollars
from pumpguard.ops.events.words import WHY, about
from pumpguard.ops.fleet.explainer import RuleExplained

SPANS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def lasting(seconds: float) -> str:
    """A duration in one unit, no more than a tenth off: ``90 seconds``, ``a day``, ``4 hours``."""
    for unit, name in SPANS:
        count = round(seconds / unit)
        near = abs(seconds / unit - count) < (0.01 if count == 1 else count / 10)
        if count and (near or unit == 1):
            return f"{'an' if name == 'hour' else 'a'} {name}" if count == 1 else f"{count} {name}s"
    return "a moment"


def counted(counter: Counter, reading: Reading) -> str | None:
    """How a counter stands; nothing where there is nothing to say."""
    if not isinstance(counter, Limited):
        return None
    where, span = about(counter.by), lasting(counter.seconds)
    wait = f"; free in {lasting(reading.wait)}" if reading.full else ""
    match counter:
        case Ban():
            if not reading.full:
                return None
            return f"{where} is banned for {lasting(reading.wait)} (level {reading.used})"
        case Spend():
            used, limit = dollars(reading.used / 1e6), dollars(counter.limit / 1e6)
            left = dollars(max(0, counter.limit - reading.used) / 1e6)
            return f"{used} of {limit} for {where} in {span}, {left} left{wait}"
        case Credit():
            line = reading.detail[0] if reading.detail else counter.limit
            used, limit = dollars(reading.used / 1e6), dollars(line / 1e6)
            return f"{used} unverified of a line of {limit} for {where}{wait}"
        case Distinct():
            return f"{reading.used} of {counter.limit} different for {where} in {span}{wait}"
        case Neighbours():
            return f"{reading.used} of {counter.limit} neighbouring numbers in {span}{wait}"
    return f"{reading.used} of {counter.limit} for {where} in {span}{wait}"


VERDICTS = {
    Action.ALLOW: "would be let through",
    Action.CHALLENGE: "would be asked for proof",
    Action.THROTTLE: "would be refused for now",
    Action.BLOCK: "would be blocked",
    Action.SHADOW: "would be answered as always, and nothing would be sent",
}


def verdict(decision: Decision) -> str:
    """What would happen, in words."""
    wait = decision.retry_after
    later = "" if decision.allowed or wait is None else f", for {lasting(wait)}"
    return VERDICTS[decision.action] + later


def why(finding: Finding) -> str:
    """What a finding means, in words; nothing for the codes of an app's own rules."""
    by = finding.evidence.get("by")
    return WHY.get(finding.code, "").format(by=about(by) if isinstance(by, str) else "one subject")


def lines(rule: RuleExplained) -> list[str]:
    """The counters of a rule that have counted something, those that are full first."""
    busy = [each for each in rule.counters if each[1].used or each[1].full]
    said = (counted(*each) for each in sorted(busy, key=lambda each: not each[1].full))
    return list(dict.fromkeys(line for line in said if line))
