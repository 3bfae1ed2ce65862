"""Numbers among the arguments of a sender."""

from __future__ import annotations

import pytest

from pumpguard.intake.phone import canonical
from pumpguard.shadow.numbers import numbers_in

PHONE = canonical("+447400123456")


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
    "other",
    ["+447400123457", "+4407400123456", "+337400123456", "7400123456789", "+7400123456"],
)
def test_another_number_is_another(other: str) -> None:
    assert [number.means(PHONE) for number in numbers_in([other])] == [False]


@pytest.mark.parametrize("text", ["Your code is 123456", "user-7", "", b"+447400123456", None, 7])
def test_what_is_no_number_is_none(text: object) -> None:
    assert numbers_in([text]) == []
