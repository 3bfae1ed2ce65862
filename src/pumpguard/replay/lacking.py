"""What a log lacks, and what follows: which rules of a policy can be played by it."""

from __future__ import annotations

from dataclasses import replace

from pumpguard.attempt import Attempt, Client
from pumpguard.policy import Policy
from pumpguard.replay.journal import Journal
from pumpguard.replay.play import NOBODY
from pumpguard.rules import Budget, Network, Rule, SlidingBan
from pumpguard.rules.base import RegionalRule

OF_REQUESTS = frozenset(
    {"network", "site", "client_country", "client_hidden", "asn", "session", "account", "device"}
)
"""Dimensions that say where a request comes from, whatever number it is for."""

SOMEWHERE = Attempt(NOBODY, Client("192.0.2.1", "192.0.2.1", "192.0.2.0/24", "GB", "residential"))
"""Any request: what rules count for it says by what they count."""


def told_apart(policy: Policy, journal: Journal) -> tuple[Policy, list[str]]:
    """The policy as far as this log can play it, and what follows from what the log lacks."""
    blind = monitoring(policy, journal)
    if not journal.events:  # nothing was held out then, and nothing is drawn now
        policy = replace(policy, hold_out=None, mode="enforce")
    if journal.of_requests:
        policy, said = by_addresses(policy, journal.priced > 0)
        return policy, [*blind, *said]
    if journal.events:
        policy = replace(
            policy, verify=None, settled=policy.verified, verified_when=None, flow=None
        )
    elif not journal.verifications:
        needing = [rule.name for rule in policy.chain if rule.needs_verifications]
        if policy.verified:
            blind.append(
                "No verifications in the log, so none can pay a message back: the rules that need "
                f"them were left out ({', '.join(needing)})."
            )
        policy = replace(policy, verify=None, settled=False, verified_when=None, flow=None)
    else:
        policy = replace(policy, verify=None, settled=True, verified_when=None, flow=None)
    if not journal.with_addresses:
        blind.append("No client addresses in the log: every rule about addresses was blind.")
    if not journal.with_sessions and policy.session is not None:
        blind.append("No sessions in the log: every rule about sessions was blind.")
    return policy, blind


def monitoring(policy: Policy, journal: Journal, whose: str = "The policy") -> list[str]:
    """What follows from modes that refuse nothing. A log is played to see what would be refused;
    in events of our own each decision is held against what it was, so there the mode stays."""
    said = []
    if policy.mode == "monitor":
        then = (
            "and events are decided as they were: so nothing is refused here. Take the mode out to "
            "see what would be."
            if journal.events
            else "but it was played as if its rules were enforced: this is what it would refuse."
        )
        said.append(f"{whose}'s mode is monitor, in which nothing is refused, {then}")
    if rules := [rule.name for rule in policy.chain if rule.mode == "monitor"]:
        said.append(f"{whose} only records what these rules find: {', '.join(rules)}.")
    return said


def by_addresses(policy: Policy, priced: bool) -> tuple[Policy, list[str]]:
    """The policy with those rules alone that need no number, and what follows. With ``priced`` it
    is known what a message costs, and the budget holds."""
    seeing = [rule for rule in policy.chain if _needs_no_number(rule, priced)]
    names = {rule.name for rule in seeing}
    kept: list[Rule] = []
    for rule in seeing:
        if isinstance(rule, SlidingBan) and rule.after:
            after = tuple(name for name in rule.after if name in names)
            if not after:
                continue
            rule = replace(rule, after=after)
        kept.append(rule)
    names = {rule.name for rule in kept}
    left_out = ", ".join(rule.name for rule in policy.chain if rule.name not in names)
    said = [
        "An access log has no numbers: only the rules about addresses were played "
        f"({', '.join(rule.name for rule in kept) or 'none'}). Blind were: {left_out or 'none'}.",
    ]
    if policy.verified:
        said.append(
            "Nobody can tell from it whose code was entered: what an address earns by its users "
            "who verify is not known, so addresses that many people share look worse than they are."
        )
    played = replace(
        policy, rules=tuple(kept), extra_rules=(), use="", shares=(), verify=None,
        settled=policy.verified, verified_when=None, flow=None,
    )  # fmt: skip
    return played, said


def _needs_no_number(rule: Rule, priced: bool) -> bool:
    """Whether a rule judges by where a request comes from, whatever number it is for."""
    if rule.needs_verifications or (
        isinstance(rule, RegionalRule) and (rule.regions or rule.except_regions)
    ):
        return False
    if isinstance(rule, Budget):
        return priced and rule.by == "everything"
    counters = rule.counters(SOMEWHERE)
    if not counters:
        return isinstance(rule, Network)
    return all(
        OF_REQUESTS.issuperset(by.split("+"))
        for each in counters
        for by in (each.by, each.member or each.by)
    )
