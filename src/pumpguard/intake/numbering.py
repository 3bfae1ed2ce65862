"""Numbers in E.164 are taken apart by the numbering plan of `phonenumbers`, without its parser.

The parser looks for extensions, carrier codes and the like; for a number that has none of these it
takes most of the time that a new number costs. A test holds the two equal, over all regions.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber

E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")

try:  # from phonenumbers 9.0.43 on: numbers of many countries cost a tenth, for some megabytes
    from phonenumbers import enable_pattern_cache
except ImportError:
    pass
else:
    enable_pattern_cache()


def parse(text: str, region: str | None) -> PhoneNumber:
    """The same as ``phonenumbers.parse``. Raises ``NumberParseException``."""
    if E164.match(text):
        for end in (2, 3, 4):
            regions = COUNTRY_CODE_TO_REGION_CODE.get(int(text[1:end]))
            if regions is not None:
                code, national = int(text[1:end]), text[end:]
                if _stands_alone(national, code, regions[0]):
                    return PhoneNumber(code, int(national))
                break
    return phonenumbers.parse(text, region)


def _stands_alone(national: str, code: int, region: str) -> bool:
    """Whether the digits after the calling code are the national number as they are."""
    plan = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    if plan is None or national.startswith("0"):
        return False
    prefix = plan.national_prefix_for_parsing
    return not prefix or not re.match(prefix, national)
