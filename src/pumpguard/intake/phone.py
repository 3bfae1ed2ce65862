"""Every spelling of a telephone number leads to one canonical form, or is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber

from pumpguard.attempt import LineType, Phone
from pumpguard.errors import IntakeError

try:  # from phonenumbers 9.0.43 on: numbers of many countries cost a tenth, for some megabytes
    from phonenumbers import enable_pattern_cache
except ImportError:
    pass
else:
    enable_pattern_cache()

TYPE_IN: Callable[[str, PhoneMetadata], int] | None
TYPE_IN = getattr(phonenumbers.phonenumberutil, "_number_type_helper", None)
"""A number's type by a country's plan; a name of theirs that may go."""

E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
MAX_LENGTH = 64
MAX_CACHED = 8192
NUMERALS = ("No", "Nl")
EXAMPLE = "write it like +447700900123."

CODE = re.compile(r"\(?(?:\+|00)? ?([1-9][0-9]{0,3})(?:[ -]([0-9]{1,5}))?\)?\Z")
"""A calling code, or one and an area code."""

ENDS = " \t\r\n"
"""White space that comes along when one copies, and means nothing at either end."""

PLAIN = re.compile(rf"\+[0-9]{{1,{MAX_LENGTH - 1}}}\Z")
"""E.164 or near it, as most apps send it: nothing to clean."""

ARGENTINA = 54

SATELLITE = frozenset({870, 878, 881, 882, 883, 888, 979})
"""Calling codes of satellite, global and international premium services: up to dollars each."""

PhoneNumberType = phonenumbers.PhoneNumberType

LINE_TYPES: dict[int, LineType] = {
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE: "fixed_line",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "uan",
    PhoneNumberType.VOICEMAIL: "voicemail",
}


def canonical(
    number: object, code: object = None, region: str | None = None, plain_digits: bool = False
) -> Phone:
    """The number in E.164, from text and an optional calling code of its own.

    Accepts what people type and paste: spaces, punctuation, ``00``, ``tel:``, digits of any script,
    a trunk zero in brackets, invisible marks. With a ``region``, its own international prefixes are
    read as they are dialled there (``001`` in Singapore); with ``plain_digits``, what is no number
    there is read as if a ``+`` stood before it. Refuses, with an `IntakeError` (422), what two
    programs could read as two numbers: letters, extensions, a second calling code, control
    characters, anything that is not text.
    """
    text = number if isinstance(number, str) and PLAIN.match(number) else _plain(number)
    if code is not None and code != "":
        if text.startswith(("+", "00")):
            raise _unreadable("The telephone number has two calling codes.")
        return _parse_in_two(_calling_code(code), text, region)
    if plain_digits and "1" <= text[:1] <= "9":
        return _parse_plain(text, region)
    return _parse(text, region)


def _calling_code(value: object) -> tuple[str, str]:
    """A calling code as forms have them, and the area code after it: ``44``, ``+44-1481``, ``(+1)``
    and the number 44."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    found = CODE.match(_plain(value))
    if found is None or (
        found[2] and int(found[1]) not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
    ):
        raise _unreadable("The calling code is not a number such as 44.")
    return found[1], found[2] or ""


def _parse_in_two(code: tuple[str, str], text: str, region: str | None) -> Phone:
    # A national number may repeat its trunk zero; E.164 has no room for it.
    calling, area = code
    if not area:
        return _parse(f"+{calling} {text}", region)
    try:
        return _parse(f"+{calling} {area} {text}", region)
    except IntakeError:
        # As in a list of countries: +44-1481 is Guernsey, whose mobile numbers have no 1481.
        phone = _parse(f"+{calling} {text}", region)
        if not phone.valid:
            raise
        return phone


def _parse_plain(text: str, region: str | None) -> Phone:
    if region is not None:
        try:
            return _parse(text, region)
        except IntakeError:
            pass
    return _parse("+" + text, region)


def _unreadable(detail: str) -> IntakeError:
    return IntakeError(422, "phone-number", "Not a telephone number", detail)


def _plain(value: object) -> str:
    """The text with ASCII digits, in one width, and without what cannot be seen."""
    if value is None:
        raise _unreadable("The telephone number is missing.")
    if not isinstance(value, str):
        raise _unreadable("The telephone number is not text.")
    if not 0 < len(value) <= MAX_LENGTH:
        raise _unreadable(f"The telephone number does not have 1 to {MAX_LENGTH} characters.")
    value = value.strip(ENDS)
    if value[:4].lower() == "tel:":
        value = value[4:]
    # Numerals that are no digits (², ①) are refused before NFKC makes digits of them, and letters
    # after it, when it has made some (Ⓐ, ℡).
    if any(unicodedata.category(character) in NUMERALS for character in value):
        raise _unreadable("The telephone number has characters that are no part of one.")
    return "".join(map(_plain_character, unicodedata.normalize("NFKC", value))).strip()


def _plain_character(character: str) -> str:
    match unicodedata.category(character):
        case "Nd":
            return str(unicodedata.decimal(character))
        case "Cf":  # zero widths, and the direction marks that come along when one copies
            return ""
        # Control characters, lone surrogates, and vanity letters, which libphonenumber turns into
        # digits and most apps do not.
        case "Cc" | "Cs" | "Ll" | "Lm" | "Lo" | "Lt" | "Lu":
            raise _unreadable("The telephone number has characters that are no part of one.")
    return character


@lru_cache(maxsize=MAX_CACHED)
def _parse(text: str, region: str | None) -> Phone:
    text = text.lstrip("([ ")
    if text.startswith("00"):
        text = _after_zeros(text, region)
    if not text.startswith("+") and region is None:
        raise _unreadable("The telephone number needs its calling code, such as +44.")
    try:
        number = parse(text, region)
    except phonenumbers.NumberParseException:
        raise _unreadable(f"The telephone number cannot be read; {EXAMPLE}") from None
    if number.country_code == ARGENTINA:
        number = _handset(number)
    kind, country = kind_and_region(number)
    # A number has a type exactly if it is valid, and is possible then: two look-ups less.
    valid = kind != PhoneNumberType.UNKNOWN
    if number.extension or not (valid or phonenumbers.is_possible_number(number)):
        raise _unreadable(f"The telephone number is not a possible one; {EXAMPLE}")
    calling_code = number.country_code or 0
    if country is None and calling_code:  # unallocated: the country that the plan belongs to
        country = phonenumbers.region_code_for_country_code(calling_code)
    satellite = calling_code in SATELLITE
    return Phone(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        region=None if country in ("001", "ZZ") else country,
        calling_code=calling_code,
        line_type="satellite" if satellite else LINE_TYPES.get(kind, "unknown"),
        valid=valid,
    )


def kind_and_region(number: PhoneNumber) -> tuple[int, str | None]:
    """The same as ``phonenumbers.number_type`` and ``region_code_for_number``.

    Where countries share a calling code, the country is found by trying the type in each of them,
    which those two do three times. A test holds them equal.
    """
    code, unknown = number.country_code or 0, PhoneNumberType.UNKNOWN
    regions = COUNTRY_CODE_TO_REGION_CODE.get(code, ())
    if TYPE_IN is None or len(regions) < 2:
        return phonenumbers.number_type(number), phonenumbers.region_code_for_number(number)
    national = phonenumbers.national_significant_number(number)
    for region in regions:
        plan = PhoneMetadata.metadata_for_region(region, None)
        digits = None if plan is None else plan.leading_digits
        if plan is None or (digits is not None and not re.match(digits, national)):
            continue
        kind = TYPE_IN(national, plan)
        if kind != unknown or digits is not None:
            return kind, region
    return unknown, None


def _after_zeros(text: str, region: str | None) -> str:
    """What a text that begins with ``00`` stands for: ``+``, or in a region whose own prefixes are
    others (``009`` in Nigeria, ``0011`` in Australia), what is dialled there.

    Where it could also be a national number of that length, and so be two, it is refused.
    """
    plus = "+" + text[2:]
    if region is None:
        return plus
    try:
        number = phonenumbers.parse(text, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return plus
    if number.country_code_source == phonenumbers.CountryCodeSource.FROM_NUMBER_WITH_IDD:
        return text
    if phonenumbers.is_possible_number(number):
        raise _unreadable(f"The telephone number may be two; {EXAMPLE}")
    return plus


def _handset(number: phonenumbers.PhoneNumber) -> phonenumbers.PhoneNumber:
    """An Argentinian number as messages to it are addressed, with the 9: with and without it, it is
    the same line, and a message goes to no other."""
    national = str(number.national_number)
    if national.startswith("9"):
        return number
    mobile = phonenumbers.parse(f"+{ARGENTINA}9{national}")
    return mobile if phonenumbers.is_valid_number(mobile) else number


def parse(text: str, region: str | None) -> PhoneNumber:
    """The same as ``phonenumbers.parse``. Raises ``NumberParseException``.

    That looks for extensions, carrier codes and the like; for a number in E.164, which has none of
    these, it takes most of the time that a new number costs. A test holds the two equal.
    """
    if E164.match(text):
        for end in (2, 3, 4):
            code, national = int(text[1:end]), text[end:]
            regions = COUNTRY_CODE_TO_REGION_CODE.get(code)
            if regions is None:
                continue
            plan = PhoneMetadata.metadata_for_region_or_calling_code(code, regions[0])
            if plan is None or national.startswith("0"):
                break
            prefix = plan.national_prefix_for_parsing
            if not prefix or not re.match(prefix, national):
                return PhoneNumber(code, int(national))
            break
    return phonenumbers.parse(text, region)
