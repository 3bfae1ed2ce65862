"""Numbers are taken apart as `phonenumbers` does it, and its verdicts are the ones that count."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import phonenumbers
import pytest
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber

from pumpguard.intake.phone import ARGENTINA, canonical, parse

SEED = 20261122
DRAWN = 60
"""Numbers that are drawn per region and way of drawing."""

ODD = [
    "+800 1234 5678",
    "+80012345678",
    "+979123456789",
    "+1 (0) 202 555 0123",
    "+390612345678",
    "+447",
    "+999123",
    "+999123456789",
    "+5491123456789",
    "+5215512345678",
    "+77771234567",
    "+4407400123456",
    "+440074001234567",
    "+0044740012345",
    "+447400123456 ext. 5",
]


Parse = Callable[[str, str | None], PhoneNumber]


def numbers(region: str) -> Iterator[str]:
    """Examples of every type with their last digits drawn anew, wholly random numbers of every
    length, and both with what people there dial before them."""
    rng = random.Random(f"{SEED} {region}")
    plan: Any = PhoneMetadata.metadata_for_region(region)
    code = phonenumbers.country_code_for_region(region)
    before = ["", "0", str(plan.national_prefix or "1"), "8", "9", str(code)]
    for kind in range(11):
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            known = phonenumbers.national_significant_number(example)
            for drawn in (0, 1, 2, 4, len(known)):
                tail = "".join(rng.choices("0123456789", k=min(drawn, len(known))))
                yield f"+{code}{known[: len(known) - len(tail)]}{tail}"
    for _ in range(DRAWN):
        length = rng.choice(plan.general_desc.possible_length)
        national = "".join(rng.choices("0123456789", k=length))
        yield f"+{code}{rng.choice(before)}{national}"
        yield f"+{code}{national}"


def read(by: Parse, text: str, region: str | None) -> PhoneNumber | int:
    """The number, or why there is none."""
    try:
        return by(text, region)
    except NumberParseException as error:
        return error.error_type


def readable(region: str) -> Iterator[tuple[str, PhoneNumber]]:
    """Those that the library can read."""
    for text in numbers(region):
        with suppress(NumberParseException):
            yield text, phonenumbers.parse(text, None)


@pytest.mark.parametrize("start", range(8))
def test_numbers_are_taken_apart_as_the_library_does_it(start: int) -> None:
    """Tens of thousands of numbers of all regions and types, valid or not, with and without what
    people dial before them; the region that a policy names changes nothing."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)[start::8]:
        for text in [*numbers(region), *ODD]:
            for default in (None, region):
                expected = read(phonenumbers.parse, text, default)
                assert read(parse, text, default) == expected, (text, default)


@pytest.mark.parametrize("start", range(8))
def test_the_verdict_is_the_library_s(start: int) -> None:
    """Valid or not, of which type, where and in which form: in all regions."""
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)[start::8]:
        for text, number in readable(region):
            if phonenumbers.is_possible_number(number):
                phone = canonical(text)
                if number.country_code == ARGENTINA and phone.valid:  # a handset has the 9
                    number = phonenumbers.parse(phone.e164)
                e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
                assert (phone.e164, phone.valid) == (e164, phonenumbers.is_valid_number(number))
                if phone.valid:
                    assert phone.region == phonenumbers.region_code_for_number(number), text


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("+254146975983", True),
        ("+263751681515", True),
        ("+593931248668", True),
        ("+5927686450", True),
        ("+2385747362", True),
        ("+61496259525", True),
        ("+40626508793", False),
    ],
)
def test_the_newest_plan_is_asked(number: str, valid: bool) -> None:
    """These ranges were refused, or let through, where an older plan in Rust was installed."""
    assert canonical(number).valid == valid == phonenumbers.is_valid_number(parse(number, None))


def test_no_other_plan_is_loaded() -> None:
    """Whatever is installed beside it."""
    code = "import sys, pumpguard.intake.phone; sys.exit('rphonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_number_has_a_type_exactly_if_it_is_valid_and_is_possible_then() -> None:
    """So intake asks for the type alone."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        for text, number in readable(region):
            typed = phonenumbers.number_type(number) != phonenumbers.PhoneNumberType.UNKNOWN
            assert typed == phonenumbers.is_valid_number(number), text
            assert not typed or phonenumbers.is_possible_number(number), text
