"""The names of an earlier release still work, and say what they are called now."""

from __future__ import annotations

import importlib
import sys

import pytest

from pumpguard import Guard, OrdersError, OverrideError, Policy, PolicyError
from pumpguard.overrides.posture import Escalation, Posture


def test_a_ladder_is_an_escalation() -> None:
    """Also as a table, and not both at once."""
    with pytest.warns(DeprecationWarning, match="escalation"):
        policy = Policy(send="/s", ladder={"hold": 60})  # type: ignore[arg-type]
    assert policy.escalation == Escalation(pause=60)
    with pytest.raises(PolicyError, match="ladder: expected nothing beside escalation"):
        Policy(send="/s", ladder=Escalation(), escalation=Escalation())


async def test_a_guards_orders_are_its_overrides() -> None:
    """And their error is the same class."""
    async with Guard(Policy(send="/s")) as guard:
        with pytest.warns(DeprecationWarning, match=r"guard\.overrides"):
            assert guard.orders is guard.overrides
    assert OrdersError is OverrideError


def test_the_old_modules_can_be_imported() -> None:
    """The two that a policy or a caller needed."""
    for name in [name for name in sys.modules if name.startswith("pumpguard.orders")]:
        del sys.modules[name]
    with pytest.warns(DeprecationWarning, match=r"pumpguard\.overrides"):
        assert importlib.import_module("pumpguard.orders.ladder").Ladder is Escalation
    assert importlib.import_module("pumpguard.orders.posture").Posture is Posture
    assert importlib.import_module("pumpguard.ops.webhook").Webhook.__name__ == "Webhook"
