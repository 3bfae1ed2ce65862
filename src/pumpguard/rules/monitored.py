"""Rules that are recorded only, by order."""

from __future__ import annotations

from collections.abc import Sequence, Set
from copy import copy

from pumpguard.rules.base import Rule


def in_monitor(rules: Sequence[Rule], names: Set[str]) -> list[Rule]:
    """The rules, of which those with these names are recorded only."""
    found = []
    for rule in rules:
        if rule.name in names:
            rule = copy(rule)
            object.__setattr__(rule, "mode", "monitor")
        found.append(rule)
    return found
