"""Orders in words, as the console's history shows them."""

from __future__ import annotations

import pytest

from pumpguard.ops.console.text import ordered
from pumpguard.overrides.standing import Order


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (("posture", "country", "GB", "closed"), "closed for GB"),
        (("posture", "country", "all", "observe"), "observe for everybody"),
        (("expect", "country", "FR", "5"), "5 times as much as usual expected for FR"),
        (("monitor", "rule", "credit", ""), "rule credit only monitors"),
        (("enforce", "rule", "credit", ""), "rule credit as the policy has it"),
        (("lift", "ban", "ban 81.2.69.•", ""), "ban lifted: ban 81.2.69.•"),
        (("escalate", "posture", "all", "challenge_all"), "a step of escalation"),
        (("deny", "prefix", "+8801712", ""), "deny prefix +8801712"),
        (("allow", "number", "+447400123456", ""), "allow number +44740012••••"),
    ],
)
def test_an_order_in_words(order: tuple[str, str, str, str], words: str) -> None:
    """Blocks in plain text; a whole number is masked, wherever it comes from."""
    what, kind, subject, value = order
    told = Order(what=what, kind=kind, subject=subject, author="ann", at=0.0, value=value)
    assert ordered(told) == words
