"""The numbering plans in Rust give the same answers as the ones in Python."""

from __future__ import annotations

import random
from types import ModuleType

import phonenumbers
import pytest
import rphonenumbers

SEED = 20261122
NUMBERS = 4_000
ODD = [
    "+800 1234 5678",
    "+979 123 456 789",
    "+1 (0) 202 555 0123",
    "+39 06 1234567",
    "+390612345678",
    "+447",
    "+999123",
    "+54 9 11 2345 6789",
    "+52 1 55 1234 5678",
    "+7 777 123 45 67",
]


def numbers() -> list[str]:
    """Examples of every type in every region, with up to four digits drawn anew."""
    rng = random.Random(SEED)
    kinds = range(11)
    found = []
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for kind in kinds:
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                found.append(phonenumbers.format_number(example, 0))
    spread = [
        number[:-changed] + "".join(rng.choices("0123456789", k=changed))
        for number in found
        for changed in (1, 2, 4)
    ]
    return rng.sample(found + spread, NUMBERS) + ODD


def facts(library: ModuleType, text: str) -> tuple[object, ...]:
    """All that is asked of a numbering plan."""
    try:
        number = library.parse(text, None)
    except library.NumberParseException:
        return ("unreadable",)
    return (
        library.format_number(number, library.PhoneNumberFormat.E164),
        number.country_code,
        number.extension or None,
        library.is_possible_number(number),
        library.is_valid_number(number),
        library.number_type(number),
        library.region_code_for_number(number),
        library.region_code_for_country_code(number.country_code),
    )


@pytest.mark.parametrize("share", range(4))
def test_both_libraries_say_the_same(share: int) -> None:
    """Thousands of numbers of all regions and types."""
    for text in numbers()[share::4]:
        assert facts(phonenumbers, text) == facts(rphonenumbers, text), text


@pytest.mark.parametrize("library", [phonenumbers, rphonenumbers])
def test_a_number_has_a_type_exactly_if_it_is_valid_and_is_possible_then(
    library: ModuleType,
) -> None:
    """So intake asks for the type alone."""
    for text in numbers():
        try:
            number = library.parse(text, None)
        except library.NumberParseException:
            continue
        typed = library.number_type(number) != library.PhoneNumberType.UNKNOWN
        assert typed == library.is_valid_number(number), text
        assert not typed or library.is_possible_number(number), text
