"""What release 0.1 called otherwise, of a policy and of a guard: understood, with a warning, until
0.3."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from pumpguard.errors import PolicyError
from pumpguard.outcomes import Outcomes

if TYPE_CHECKING:
    from pumpguard.guard import Guard
    from pumpguard.overrides.admin import OverrideAdmin
    from pumpguard.policy import Policy

MOVED_RULES: Mapping[str, Mapping[str, str]] = {"settling": {}, "earned_trust": {"by": "trusts"}}
"""Rules that are the policy's ``outcomes`` now, with those of their settings that were renamed."""


def renamed_settings(policy: Policy) -> Iterator[tuple[str, object]]:
    """The settings that old names in a new policy stand for. Raises `PolicyError`."""
    escalation: Any = policy.escalation
    if policy.ladder is not None:
        if escalation is not None:
            raise PolicyError("ladder", "nothing beside escalation, its new name", policy.ladder)
        _warn("ladder= is escalation= now")
        escalation = policy.ladder
        yield "ladder", None
    if isinstance(escalation, Mapping) and "hold" in escalation:
        _warn("escalation.hold is escalation.pause now")
        escalation = {"pause" if name == "hold" else name: v for name, v in escalation.items()}
    yield "escalation", escalation
    rules = policy.rules
    if isinstance(rules, Mapping) and not rules.keys().isdisjoint(MOVED_RULES):
        given: Any = policy.outcomes
        yield "outcomes", (asdict(given) if isinstance(given, Outcomes) else given) | _moved(rules)
        yield "rules", {name: rules[name] for name in rules if name not in MOVED_RULES}
        _warn("rules.settling and rules.earned_trust are outcomes now")


def _moved(rules: Mapping[str, Any]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, renamed in MOVED_RULES.items():
        settings = rules.get(name, {})
        if not isinstance(settings, Mapping):
            raise PolicyError(f"rules.{name}", "a table of settings", settings)
        # Their mode never mattered: they refused nobody.
        found |= {renamed.get(key, key): settings[key] for key in settings if key != "mode"}
    return found


def _warn(text: str) -> None:
    # Past this module, the policy's __post_init__ and its __init__: to whoever makes the policy.
    warnings.warn(text, DeprecationWarning, stacklevel=5)


class OldNames:
    """Those of a `Guard`."""

    @property
    def orders(self) -> OverrideAdmin:
        """The old name of ``overrides``."""
        warnings.warn("guard.orders is guard.overrides now", DeprecationWarning, stacklevel=2)
        return cast("Guard", self).overrides

    def valued(self, phone: str) -> None:
        """The old name of `Guard.verified`."""
        warnings.warn("use Guard.verified instead", DeprecationWarning, stacklevel=2)
        cast("Guard", self).verified(phone)
