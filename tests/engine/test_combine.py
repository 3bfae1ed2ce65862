"""Findings add up to a decision; those about a block say which."""

from __future__ import annotations

from pumpguard import Action, Finding
from pumpguard.engine.combine import combine
from pumpguard.masking import Block
from pumpguard.store.base import Answer
from pumpguard.testing import make_attempt

REFUSED = Answer(False, {}, 0.0)


def test_a_finding_about_a_block_says_its_digits() -> None:
    """``lists deny prefix`` takes them as they are."""
    attempt = make_attempt("+8801712345678")
    by_block = Finding("credit", Action.BLOCK, "CREDIT", {"by": "prefix:3"}, subject="+8801712345")
    by_phone = Finding("phone", Action.THROTTLE, "LIMIT", {"by": "phone"}, subject="+8801712345678")
    decision = combine(attempt, [by_phone, by_block], REFUSED)
    block, phone = decision.findings
    assert block.evidence == {"by": "prefix:3", "prefix": "+8801712345"}
    assert isinstance(block.subject, Block)
    assert phone == by_phone
    assert "prefix=+8801712345]" in decision.explain()
    assert "+8801712345•••" in decision.explain()


def test_only_a_refusal_has_a_reference() -> None:
    """Who was let through has nothing to ask about."""
    attempt = make_attempt()
    noted = Finding("geo", Action.BLOCK, "ABROAD", mode="monitor")
    assert combine(attempt, [noted], Answer(True, {}, 0.0)).reference == ""
    assert combine(attempt, [Finding("geo", Action.BLOCK, "ABROAD")], REFUSED).reference
