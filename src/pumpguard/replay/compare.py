"""Two policies over one log: money, customers, each rule left out once, and what they decide
otherwise."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pumpguard.errors import PolicyError
from pumpguard.policy import Policy
from pumpguard.replay.lacking import told_apart
from pumpguard.replay.play import play
from pumpguard.replay.report import Report
from pumpguard.rules.assembly import as_rule

SHOWN = 10
"""Messages that are decided otherwise, with both explanations."""

PARTS = ("usd", "sent", "customers")


def compared(
    report: Report, other: Policy, say: Callable[[str], None] = lambda what: None
) -> dict[str, Any]:
    """The other policy beside the one that was reported on. The log is played once more for each of
    its rules that has refused something; ``say`` hears which is being left out."""
    journal, asks = report.journal, report.challenge
    ready, _ = told_apart(other, journal)
    tally, _ = asyncio.run(play(journal, ready, challenge=asks))
    before = report.tally.verdicts
    changed = [i for i, (a, b) in enumerate(zip(before, tally.verdicts, strict=True)) if a != b]
    shown = changed[:SHOWN]
    old, new = dict[int, str](), dict[int, str]()
    if shown:  # the log is played once more for each
        _, old = asyncio.run(play(journal, report.tally.policy, challenge=asks, explain=shown))
        _, new = asyncio.run(play(journal, ready, challenge=asks, explain=shown))
    then = replace(report, tally=tally, episodes=()).to_json()
    without = dict[str, Any]()
    for rule in then["by_rule"]:
        less = without_rule(ready, rule)
        if less is not None:
            say(rule)
            tally, _ = asyncio.run(play(journal, less, challenge=asks))
            played = replace(report, tally=tally, episodes=()).to_json()
            without[rule] = {part: played[part] for part in PARTS}
    return {
        **{part: then[part] for part in (*PARTS, "by_rule")},
        "without": without,
        "changed": len(changed),
        "examples": [{"before": old[i], "after": new[i]} for i in shown if i in old],
    }


def without_rule(policy: Policy, name: str) -> Policy | None:
    """The policy without this rule; ``None`` where it cannot be without, or the rule is none of its
    chain, such as the risk score."""
    name = name.removeprefix(f"{policy.use}.") if policy.use else name
    rules = policy.rules
    if isinstance(rules, tuple):
        less: object = tuple(rule for rule in rules if as_rule(rule, "rules").name != name)
    else:
        table = rules if isinstance(rules, Mapping) else {}
        less = {**table, name: {**table.get(name, {}), "mode": "off"}}
    try:
        found = replace(policy, rules=less)
    except PolicyError:  # it is no rule of the chain, or another one needs it
        return None
    return None if len(found.chain) == len(policy.chain) else found


def lines(found: Mapping[str, Any]) -> list[str]:
    """The comparison in words."""
    who = found["customers"]
    said = [
        "",
        f"With the other policy: {_come_to(found)}; {who['refused']:,} of {who['verified']:,} "
        f"customers refused, {who['asked']:,} asked.",
    ]
    if found["without"]:
        said.append("Without one of its rules it comes to:")
    for rule, less in found["without"].items():
        who = less["customers"]
        bothered = f"{who['refused']:,} refused, {who['asked']:,} asked"
        said.append(f"  without {rule}: {_come_to(less)}; {bothered}")
    said.append(f"{found['changed']:,} messages are decided otherwise:")
    for example in found["examples"]:
        said += ["", f"  before: {example['before']}", f"  after:  {example['after']}"]
    return said


def _come_to(found: Mapping[str, Any]) -> str:
    usd = found["usd"]
    return f"{found['sent']['with']:,} messages" if usd is None else f"${usd['with']:,.2f}"
