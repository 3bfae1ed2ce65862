"""Several policies over one name: each counts for itself, but for what they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pumpguard.config import require
from pumpguard.rules.base import Rule
from pumpguard.rules.sliding_ban import SlidingBan


def for_one_use(chain: Sequence[Rule], use: str, shares: Sequence[str]) -> tuple[Rule, ...]:
    """The chain for one use: its rules are called ``login.phone_limit``, which keeps their counters
    apart from those of other uses, and those that it ``shares`` as everywhere. Raises
    `PolicyError` for a rule that the chain does not have."""
    names = {rule.name: f"{use}.{rule.name}" for rule in chain}
    for i, name in enumerate(shares):
        require(use and name in names, f"shares.{i}", "a rule of the chain, beside use=", name)
        names[name] = name
    if not use:
        return tuple(chain)
    return tuple(_renamed(rule, names) for rule in chain)


def _renamed(rule: Rule, names: dict[str, str]) -> Rule:
    if isinstance(rule, SlidingBan):
        after = tuple(names[name] for name in rule.after)
        return replace(rule, name=names[rule.name], after=after)
    return replace(rule, name=names[rule.name])
