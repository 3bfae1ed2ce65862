"""Numbers as verify routes get them are those of the sends."""

from __future__ import annotations

import pytest

from pumpguard.errors import IntakeError
from pumpguard.intake.verified import numbers_of


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("+447400123456", (None,)),
        ("447400123456", (None,)),
        ("447400123456", ("GB",)),
        ("447400123456", ("US",)),
        ("07400 123456", ("GB",)),
        ("07400123456", (None, "GB")),
        ("07400123456", (None, "US", "GB")),
        (" 447400123456 ", (None,)),
    ],
)
def test_every_usual_spelling_is_the_numbers_of_the_send(
    text: str, regions: tuple[str | None, ...]
) -> None:
    """In E.164, without its plus, and national where the region or home is known."""
    assert numbers_of(text, regions)[0].e164 == "+447400123456"


def test_digits_that_may_be_several_numbers_are_all_of_them() -> None:
    """Nearly all are valid in Germany. Which one a message is open to, only the store knows."""
    found = numbers_of("33612345678", (None, "GB", "DE"))
    assert [phone.e164 for phone in found] == ["+33612345678", "+4933612345678"]
    assert [phone.e164 for phone in numbers_of("+33612345678", ("DE", "GB"))] == ["+33612345678"]


@pytest.mark.parametrize("text", [None, "", "123456", "flow-17", 447400123456, "07400123456"])
def test_what_is_no_number_stays_none(text: object) -> None:
    """A code, an id, or a national number from nowhere."""
    with pytest.raises(IntakeError):
        numbers_of(text, (None,))
