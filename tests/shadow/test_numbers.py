"""Numbers among the arguments of a sender."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.errors import IntakeError
from pumpguard.intake.phone import canonical
from pumpguard.shadow.numbers import numbers_in

PHONE = canonical("+447400123456")
INTERNATIONAL = phonenumbers.PhoneNumberFormat.INTERNATIONAL
E164 = phonenumbers.PhoneNumberFormat.E164
RFC3966 = phonenumbers.PhoneNumberFormat.RFC3966


@pytest.mark.parametrize(
    "spelt",
    [
        "+447400123456",
        "00447400123456",
        "447400123456",
        447400123456,
        "+44 7400 123-456",
        "whatsapp:+447400123456",
        "07400 123456",
        "(07400) 123456",
        {"to": "+447400123456", "body": "Your code is 123456."},
        [{"messages": [{"to": "+447400123456"}]}],
    ],
)
def test_a_number_is_recognised_however_it_is_spelt(spelt: object) -> None:
    assert [number.means(PHONE) for number in numbers_in([spelt])] == [True]


@pytest.mark.parametrize(
    ("sent_to", "asked_for", "region"),
    [
        ("+44 (0)7400 123456", "+447400123456", None),
        ("+4407400123456", "+447400123456", None),
        ("+44 0 7400 123456", "+447400123456", None),
        ("+49 (0)171/2345679", "+491712345679", None),
        ("+490171 2345679", "+491712345679", None),
        ("+33 (0)6 12 34 56 79", "+33612345679", None),
        ("+541124456790", "+541124456790", None),
        ("+541124456790", "+5491124456790", None),
        ("011 15-2445-6790", "+5491124456790", "AR"),
    ],
)
def test_what_the_guard_reads_as_one_number_is_one(
    sent_to: str, asked_for: str, region: str | None
) -> None:
    """Apps hand on what people have typed, or what another library makes of it."""
    phone = canonical(asked_for, None, region)
    assert [number.means(phone) for number in numbers_in([sent_to])] == [True]


@given(
    st.sampled_from(["GB", "DE", "FR", "AR", "MX", "BR", "IT", "US"]),
    st.integers(0, 9_999),
    st.sampled_from([INTERNATIONAL, E164, RFC3966]),
)
def test_every_spelling_that_the_guard_takes_is_recognised(
    region: str, last: int, form: int
) -> None:
    example = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None
    typed = phonenumbers.format_number(example, form)
    typed = typed[:-4] + f"{last:04d}"
    try:
        phone = canonical(typed)
    except IntakeError:
        return
    assert any(number.means(phone) for number in numbers_in([typed]))


@pytest.mark.parametrize(
    "other",
    ["+447400123457", "+337400123456", "7400123456789", "+7400123456"],
)
def test_another_number_is_another(other: str) -> None:
    assert [number.means(PHONE) for number in numbers_in([other])] == [False]


@pytest.mark.parametrize("text", ["Your code is 123456", "user-7", "", b"+447400123456", None, 7])
def test_what_is_no_number_is_none(text: object) -> None:
    assert numbers_in([text]) == []
