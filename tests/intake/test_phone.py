"""One number, one canonical form, however it is spelt; what is no one number is refused."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from pumpguard.errors import IntakeError
from pumpguard.intake.phone import MAX_LENGTH, canonical, kind_and_region
from tests.asgi import PHONE

SPELLINGS = [
    "+447400123456",
    " +447400123456 ",
    "+44 7400 123456",
    "+44-7400-123-456",
    "+44.7400.123.456",
    "+44 (7400) 123 456",
    "(+44) 7400 123456",
    "[+44] 7400 123456",
    "+44 (0)7400 123456",
    "+44 0 7400 123456",
    "+4407400123456",
    "++447400123456",
    "+ 44 7400 123456",
    "+44/7400/123456",
    "00447400123456",
    "0044 (0) 7400 123456",
    "(0044) 7400 123456",
    "tel:+447400123456",
    "TEL:+44-7400-123456",
    "+٤٤٧٤٠٠١٢٣٤٥٦",
    "٠٠٤٤٧٤٠٠١٢٣٤٥٦",
    "+४४७४००१२३४५६",
    "＋４４７４００１２３４５６",
    "００４４７４００１２３４５６",
    "+𝟒𝟒𝟕𝟒𝟎𝟎𝟏𝟐𝟑𝟒𝟓𝟔",
    "+44\u200b7400\u200b123456",
    "\u200b+447400123456",
    "\ufeff+447400123456",
    "\u202a+44 7400 123456\u202c",  # as copied from an address book
    "+44\u00a07400\u2009123456",
    "+44\u20117400\u2013123\u2014456",
    "+44\u00ad7400123456",
    "+447400123456.",
    "+447400123456\n",
    "+447400123456\r\n",
    "\t+447400123456",
    "\r\n\t tel:+447400123456 \t",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_spelling_is_the_same_number(spelling: str) -> None:
    assert canonical(spelling) == canonical(PHONE)
    assert canonical(spelling).e164 == PHONE


@pytest.mark.parametrize(
    "national",
    ["07400123456", "7400123456", "(07400) 123 456", "٠٧٤٠٠١٢٣٤٥٦", "447400123456", PHONE],
)
def test_a_region_stands_in_for_the_calling_code(national: str) -> None:
    assert canonical(national, None, "GB").e164 == PHONE


@pytest.mark.parametrize(
    "code", ["44", "+44", "0044", " 44 ", "٤٤", "＋４４", "00 44".replace(" ", "")]
)
@pytest.mark.parametrize("national", ["7400123456", "07400 123456", "(0)7400 123456"])
def test_a_number_may_come_in_two_parts(code: str, national: str) -> None:
    assert canonical(national, code).e164 == PHONE


@pytest.mark.parametrize(
    ("code", "number", "e164"),
    [
        ("+1-868", "234 5678", "+18682345678"),
        ("+1 868", "2345678", "+18682345678"),
        ("+1868", "2345678", "+18682345678"),
        ("+44-1481", "723456", "+441481723456"),
        ("+44-1481", "7781 123456", "+447781123456"),  # Guernsey's mobile numbers have no 1481
        ("+599-9", "5123456", "+59995123456"),
        ("+7 7", "012345678", "+77012345678"),
        ("(+44)", "07400 123456", PHONE),
        ("(44)", "07400 123456", PHONE),
        ("+44\n", "07400 123456", PHONE),
        (44, "07400 123456", PHONE),
    ],
)
def test_calling_codes_as_lists_of_countries_have_them(
    code: object, number: str, e164: str
) -> None:
    """A select's value, or the number 44 in JSON."""
    assert canonical(number, code).e164 == e164


def test_a_code_with_an_area_is_what_an_app_makes_of_the_two() -> None:
    """Where they make a number of a possible length together, it is that, allocated or not: an app
    that joins them sends there."""
    joined = canonical("4571234567", "+358-18")
    assert (joined.e164, joined.valid) == ("+358184571234567", False)
    assert refused("7781 12345678901", "+44-1481")
    assert refused("99999 99999", "+44-148100")  # neither alone nor with the area


@pytest.mark.parametrize("code", [None, ""])
def test_an_empty_code_is_none(code: str | None) -> None:
    assert canonical(PHONE, code).e164 == PHONE


@pytest.mark.parametrize(
    "code",
    [
        "0",
        "044",
        "44444",
        "+",
        "4a",
        "4 4",
        " ",
        0,
        True,
        44.0,
        ["44"],
        "-44",
        "+44-",
        "44-1481-1",
        "+999-1",
    ],
)
def test_a_code_that_is_no_calling_code_is_refused(code: object) -> None:
    assert refused("7400123456", code)


@pytest.mark.parametrize("number", [PHONE, "00447400123456", "+491511234567", "00491511234567"])
def test_a_number_with_two_calling_codes_is_two_numbers(number: str) -> None:
    """Read on, ``49`` and ``0049151…`` would be a third number that nobody meant."""
    assert refused(number, "44")
    assert refused(number, "49")


def test_without_a_region_a_number_needs_its_calling_code() -> None:
    assert refused("07400123456")
    assert refused("447400123456")


@pytest.mark.parametrize(
    "number",
    [
        None,
        "",
        " ",
        "+",
        "+44",
        "00",
        "tel:",
        7400123456,
        447400123456.0,
        True,
        [PHONE],
        {"phone": PHONE},
        b"+447400123456",
        "+44740",  # too short
        "+4474001234567890",  # too long
        "+9997400123456",  # no such calling code
        "+44 7400 1234 ext 5",
        "+447400123456x5",
        "+447400123456;ext=5",
        "+447400123456,5",
        "+447400123456#5",
        "tel:+447400123456;phone-context=+44",
        "+1800FLOWERS",
        "+1800ⒻⓁⓄⓌⒺⓇⓈ",
        "℡+447400123456",
        "+44740012345O",
        "+44740012345²",  # numerals that are no digits: some programs drop them
        "+447400123456②",
        "+44740012345½",
        "+44740012345Ⅷ",
        "+447400123456\x00",
        "\x00" + PHONE,
        "+44\t7400123456",
        "+447400\n123456",
        "+447400123456\x0b",
        "+447400123456\ud800",
        "\udcff" + PHONE,
        f"{PHONE} {PHONE}",
        f"{PHONE},{PHONE}",
        f"{PHONE}/{PHONE}",
        PHONE + " " * MAX_LENGTH,
        "9" * 1_000_000,
        "+" * 60 + "44",
        "²" * MAX_LENGTH,
        "\ufdfa" * MAX_LENGTH,  # one character that NFKC turns into eighteen
    ],
)
def test_what_is_not_one_number_is_refused(number: object) -> None:
    assert refused(number)
    assert refused(number, None, "GB")


def test_a_refusal_never_repeats_what_was_sent() -> None:
    with pytest.raises(IntakeError) as refusal:
        canonical("+44 SECRET")
    assert "SECRET" not in str(refusal.value)


def refused(number: object, code: object = None, region: str | None = None) -> bool:
    with pytest.raises(IntakeError, match="422 phone-number"):
        canonical(number, code, region)
    return True


# What kind of number it is


@pytest.mark.parametrize(
    ("number", "region", "line", "valid"),
    [
        ("+447400123456", "GB", "mobile", True),
        ("+447700900123", "GB", "unknown", False),  # kept free for films
        ("+442079460000", "GB", "fixed_line", True),
        ("+447797712345", "JE", "mobile", True),
        ("+12015550123", "US", "fixed_line_or_mobile", True),
        ("+14165550123", "CA", "fixed_line_or_mobile", True),
        ("+77012345678", "KZ", "mobile", True),
        ("+79123456789", "RU", "mobile", True),
        ("+449012345678", "GB", "premium", True),
        ("+491801234567", "DE", "shared_cost", True),
        ("+448001234567", "GB", "toll_free", True),
        ("+445612345678", "GB", "voip", True),
        ("+447012345678", "GB", "personal", True),
        ("+447640123456", "GB", "pager", True),
        ("+445512345678", "GB", "uan", True),
    ],
)
def test_region_and_line_type(number: str, region: str, line: str, valid: bool) -> None:
    phone = canonical(number)
    assert (phone.region, phone.line_type, phone.valid) == (region, line, valid)


@pytest.mark.parametrize(
    "number", ["+870773111632", "+881612345678", "+882161234567", "+88312345678901"]
)
def test_satellite_and_global_services_belong_to_no_country(number: str) -> None:
    phone = canonical(number)
    assert (phone.region, phone.line_type) == (None, "satellite")


def test_international_freephone_belongs_to_no_country_either() -> None:
    phone = canonical("+80012345678")
    assert (phone.region, phone.line_type) == (None, "toll_free")


@pytest.mark.parametrize("number", ["+390612345678", "+39 06 1234 5678", "+39 (06) 12345678"])
def test_an_italian_zero_is_part_of_the_number(number: str) -> None:
    assert canonical(number).e164 == "+390612345678"


def test_an_italian_mobile_number_has_none() -> None:
    assert canonical("+39 347 1234567").e164 == "+393471234567"


def test_an_argentinian_handset_is_one_subject_with_and_without_the_9() -> None:
    """Messages go to the number with it; a line has only one."""
    for spelling in (
        "+54 9 11 2345 6789", "+54 11 2345 6789", "+54 11 15 2345 6789", "0054 9 11 2345-6789",
        "+54 011 15 2345 6789", "+54 011 2345 6789",
    ):  # fmt: skip
        assert canonical(spelling) == canonical("+5491123456789")
    for national in ("011 15 2345 6789", "11 2345 6789", "9 11 2345 6789"):
        assert canonical(national, None, "AR").e164 == "+5491123456789"
    assert canonical("+548001234567").e164 == "+548001234567"  # a service has no handset


def test_the_1_of_mexican_mobile_numbers_is_gone() -> None:
    """Dialled until 2019; ``phonenumbers`` reads no such number, so it is refused."""
    assert canonical("+52 55 1234 5678").e164 == "+525512345678"
    assert refused("+52 1 55 1234 5678")


def test_a_brazilian_number_without_its_ninth_digit_is_another_and_not_allocated() -> None:
    """No 9 is made up: the rule ``number`` refuses it."""
    old, new = canonical("+55 11 6123 4567"), canonical("+55 11 96123 4567")
    assert (old.e164, old.valid) == ("+551161234567", False)
    assert (new.e164, new.valid) == ("+5511961234567", True)


def test_national_mobile_prefixes_lead_to_one_number() -> None:
    """Argentina dials 15 at home and 9 from abroad; Brazil dials a carrier in between."""
    assert canonical("+54 11 15 2345 6789") == canonical("+54 9 11 2345 6789")
    assert canonical("+55 0 15 11 96123 4567") == canonical("+55 11 96123 4567")


# For every text and every number


ALPHABET = st.sampled_from("+0123456789٤４² ()-./#*;,xtel:\x00\u200b\ud800") | st.characters()


@given(
    st.text(ALPHABET, max_size=MAX_LENGTH + 2) | st.integers() | st.none(),
    st.none() | st.text(ALPHABET, max_size=6),
    st.sampled_from([None, "GB", "US", "IT"]),
)
@settings(deadline=None, max_examples=400)
def test_any_text_is_a_number_or_a_refusal(
    number: object, code: object, region: str | None
) -> None:
    try:
        phone = canonical(number, code, region)
    except IntakeError:
        assert refused(number, code, region)
        return
    assert phone.e164[0] == "+"
    assert phone.e164[1:].isascii()
    assert phone.e164[1:].isdecimal()
    assert canonical(phone.e164) == phone


SAMPLES = [
    phonenumbers.format_number(example, PhoneNumberFormat.E164)
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)
    if (example := phonenumbers.example_number_for_type(region, kind)) is not None
]


HANDSETS = {"+541123456789": "+5491123456789"}
"""Argentina's example of a fixed line is an example of a handset as well."""


@pytest.mark.parametrize("number", SAMPLES)
def test_the_example_numbers_of_every_region_are_read_as_written(number: str) -> None:
    phone = canonical(number)
    assert phone.valid
    assert phone.e164 == HANDSETS.get(number, number)
    assert f"+{phone.calling_code}" == number[: len(str(phone.calling_code)) + 1]


@given(st.sampled_from(SAMPLES), st.text("0123456789", min_size=4, max_size=4))
@settings(deadline=None, max_examples=300)
def test_valid_numbers_are_what_phonenumbers_says_they_are(example: str, ending: str) -> None:
    parsed = phonenumbers.parse(example[:-4] + ending)
    if not phonenumbers.is_valid_number(parsed):
        return
    phone = canonical(phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL))
    e164 = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
    assert phone.e164 == e164 or (phone.e164 == f"+549{e164[3:]}" and e164.startswith("+54"))
    assert phone.region == phonenumbers.region_code_for_number(parsed)
    assert phone.calling_code == parsed.country_code


@given(
    st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)),
    st.sampled_from(SAMPLES),
    st.integers(0, 10**12),
    st.booleans(),
)
@settings(deadline=None, max_examples=1_000)
def test_kind_and_country_are_those_of_phonenumbers(
    code: int, example: str, national: int, likely: bool
) -> None:
    """Also of what is no number at all, and where many countries share a code."""
    number = phonenumbers.PhoneNumber(code, national)
    if likely:
        number = phonenumbers.parse(example)
        number.national_number = (number.national_number or 0) // 1_000 * 1_000 + national % 1_000
    kind = phonenumbers.number_type(number)
    assert kind_and_region(number) == (kind, phonenumbers.region_code_for_number(number))


NOISE = st.lists(st.sampled_from(["", " ", "-", ".", "\u200b", "\u00a0"]), min_size=16, max_size=16)
SCRIPTS = st.sampled_from(["0123456789", "٠١٢٣٤٥٦٧٨٩", "０１２３４５６７８９", "०१२३४५६७८९"])


@given(st.sampled_from(SAMPLES), NOISE, SCRIPTS, st.sampled_from(["+", "00", "＋", "tel:+"]))
@settings(deadline=None, max_examples=300)
def test_noise_and_scripts_change_no_number(
    number: str, noise: list[str], script: str, prefix: str
) -> None:
    digits = number[1:].translate(str.maketrans("0123456789", script))
    spelt = prefix + "".join(a + b for a, b in zip(digits, noise, strict=False))
    assert canonical(spelt).e164 == HANDSETS.get(number, number)


@given(st.sampled_from(SAMPLES), st.sampled_from(["", "+", "00"]))
@settings(deadline=None, max_examples=200)
def test_two_parts_are_the_number_that_one_part_is(number: str, sign: str) -> None:
    whole = canonical(number)
    code = str(whole.calling_code)
    assert canonical(number[len(code) + 1 :], sign + code) == whole


# As people there dial


@pytest.mark.parametrize(
    ("region", "text", "e164"),
    [
        ("AU", "0011 44 7400 123456", PHONE),
        ("BO", "0010 44 7400 123456", PHONE),
        ("CO", "009 44 7400 123456", PHONE),
        ("GY", "001 44 7400 123456", PHONE),
        ("HK", "001 44 7400 123456", PHONE),
        ("ID", "008 62 812 343 091", "+62812343091"),
        ("ID", "00862812343091", "+62812343091"),
        ("ID", "001 44 7400 123456", None),  # no prefix there, and no number in Norway
        ("KH", "007 44 7400 123456", PHONE),
        ("KR", "00700 44 7400 123456", PHONE),
        ("MN", "001 44 7400 123456", PHONE),
        ("NG", "009 44 7400 123456", PHONE),
        ("SG", "001 44 7400 123456", PHONE),
        ("SG", "0044 7400 123456", None),  # 004 and then 47: a number that nobody meant
        ("TH", "001 44 7400 123456", PHONE),
        ("TW", "002 44 7400 123456", PHONE),
        ("TZ", "000 44 7400 123456", PHONE),
        ("UG", "000 44 7400 123456", PHONE),
        ("US", "011 44 7400 123456", PHONE),
        ("RU", "8 10 44 7400 123456", PHONE),
        # Where 00 means nothing else, it is a plus.
        ("US", "0044 7400 123456", PHONE),
        ("AU", "0044 7400 123456", PHONE),
        ("RU", "0044 7400 123456", None),  # or a Russian number of 14 digits
        ("NG", "0044 7400 123456", None),
        (None, "00862812343091", "+862812343091"),
        ("GB", "00862812343091", "+862812343091"),
    ],
)
def test_international_prefixes_are_those_of_the_region(
    region: str | None, text: str, e164: str | None
) -> None:
    """``00`` is none in eighteen regions whose own begin with it, and a ``+`` elsewhere."""
    if e164 is None:
        assert refused(text, None, region)
    else:
        assert canonical(text, None, region).e164 == e164


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("447400123456", None, PHONE),
        (" 44 7400-123456", None, PHONE),  # a form's unescaped + is a blank
        ("447400123456", "FR", PHONE),
        ("07400123456", "GB", PHONE),
        ("7400123456", "GB", PHONE),
        ("447400123456", "GB", PHONE),
    ],
)
def test_plain_digits_are_e164_where_the_policy_says_so(
    text: str, region: str | None, e164: str
) -> None:
    """Only if they are no number of the region's own."""
    assert canonical(text, None, region, True).e164 == e164


@pytest.mark.parametrize("text", ["07400123456", "00000447400123456", "4474001234567890", "999123"])
def test_plain_digits_that_are_no_number_stay_refused(text: str) -> None:
    """A national number is none without its region."""
    with pytest.raises(IntakeError, match="422"):
        canonical(text, None, None, True)
