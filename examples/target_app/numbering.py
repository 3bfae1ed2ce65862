"""What anybody can look up about a telephone number in the published numbering plans."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

# A look-up costs 20 to 200 µs and the same few numbers come back for their next message.
REMEMBERED = 65_536
LONGEST = 64


@dataclass(frozen=True, slots=True)
class Listing:
    """What the numbering plans say about one number.

    ``possible`` numbers have a length that exists, ``allocated`` ones lie in a range that somebody
    was given. ``region`` is ``None`` outside of countries; ``destination`` is what a bill names:
    the country, or the calling code where there is none.
    """

    possible: bool
    allocated: bool
    region: str | None
    destination: str


def e164(phone: str, code: str = "") -> str | None:
    """The one canonical spelling of an international number, or ``None`` if it is not one."""
    text = f"+{code.strip().removeprefix('+')} {phone}" if code else phone.strip()
    if len(text) > LONGEST:
        return None
    canonical = _parse(f"+{text[2:]}" if text.startswith("00") else text)
    # With two trunk zeros, one is left in the result and would be dropped by its next reader.
    return canonical if canonical and _parse(canonical) == canonical else None


@lru_cache(maxsize=REMEMBERED)
def look_up(phone: str) -> Listing:
    """The listing of a number in E.164."""
    number = phonenumbers.parse(phone)
    country_code = number.country_code or 0
    region = phonenumbers.region_code_for_number(number)
    allocated = region is not None and phonenumbers.is_valid_number_for_region(number, region)
    # An unallocated number is still billed as the country that its calling code leads to.
    country = _country(region or phonenumbers.region_code_for_country_code(country_code))
    return Listing(
        possible=phonenumbers.is_possible_number(number),
        allocated=allocated,
        region=country,
        destination=country or f"+{country_code}",
    )


@lru_cache(maxsize=REMEMBERED)
def _parse(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _country(region: str) -> str | None:
    return None if region in ("001", "ZZ") else region
