"""A decision: what several findings say together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import Action, Decision, Finding
from pumpguard.masking import Block, block_of, new_reference
from pumpguard.testing import make_attempt

ASKED = Finding("credit", Action.CHALLENGE, "CREDIT_SPENT", retry_after=3_000.0)
SOON = Finding("phone_limit", Action.THROTTLE, "PHONE_QUOTA", retry_after=20.0)
LATER = Finding("network", Action.BLOCK, "BANNED", retry_after=600.0)
SPENT = Finding("budget", Action.ALLOW, "BUDGET_ALERT", retry_after=9_000.0)


@pytest.mark.parametrize(
    ("findings", "action", "wait"),
    [
        ((), Action.ALLOW, None),
        ((SPENT,), Action.ALLOW, None),
        ((ASKED, SPENT), Action.CHALLENGE, 3_000.0),
        ((SOON, ASKED), Action.THROTTLE, 20.0),
        ((LATER, SOON, ASKED), Action.BLOCK, 600.0),
    ],
)
def test_nobody_waits_for_what_proof_meets_at_any_time(
    findings: tuple[Finding, ...], action: Action, wait: float | None
) -> None:
    """Somebody who taps *resend* too early is told of the cooldown, and asked after it."""
    assert Decision(make_attempt(), action, findings).retry_after == wait


def test_it_explains_why_it_let_through_and_who_decided() -> None:
    """In a line for the request and one for each finding, with nothing that names a person."""
    attempt = make_attempt("+447400123456", "81.2.69.142", country="GB")
    monitored = Finding("geo", Action.BLOCK, "ABROAD", {"from": "FR"}, mode="monitor")
    decision = Decision(attempt, findings=(monitored,), allowed_because="monitored", degraded=True)
    assert decision.explain() == (
        "allow: +447400123••• (GB) for 81.2.69.• (GB) [store unavailable] [monitored]\n"
        "  geo: ABROAD → block (monitored) [from=FR]"
    )
    assert Decision(attempt).explain() == "allow: +447400123••• (GB) for 81.2.69.• (GB)"


def test_a_number_shows_its_block_and_never_its_last_digits() -> None:
    """One place's block and another's last digits, under one reference, would be the number."""
    found = Finding("prefix_pattern", Action.BLOCK, "PREFIX_SURGE", subject=Block("+44740012"))
    decision = Decision(make_attempt("+447400123456"), Action.BLOCK, (found,))
    assert decision.masked_number == "+447400123•••"
    assert "+447400123•••" in decision.explain()
    assert "56" not in decision.explain()


@given(st.integers(0, 9_999), st.integers(1, 9))
def test_ten_numbers_are_persons_and_a_hundred_are_not(digits: int, drop: int) -> None:
    """What is shown as a block leaves a hundred numbers or more."""
    phone = make_attempt(f"+44740012{digits:04}").phone
    block = block_of(phone.prefix(drop), phone.e164)
    assert block == (phone.prefix(drop) if drop >= 2 else None)
    assert block_of("+4474009", phone.e164) is None
    assert block_of("203.0.113.7", phone.e164) is None


@given(st.binary(min_size=5, max_size=5))
def test_a_reference_is_eight_characters_that_nobody_mistakes(drawn: bytes) -> None:
    """No two of the 32 look alike, and all 40 bits are used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pumpguard.masking.urandom", lambda length: drawn[:length])
        reference = new_reference()
    digits = reference.replace("-", "")
    assert (len(reference), len(digits), reference[4]) == (9, 8, "-")
    alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    number = 0
    for each in digits:
        number = number * 32 + alphabet.index(each)
    assert number == int.from_bytes(drawn)
