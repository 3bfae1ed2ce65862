"""Which regions a price list means by ``GB``, ``United Kingdom`` or ``+44``."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata

NOWHERE = "001"
"""What the numbering plan calls codes that belong to no country: satellite, freephone."""

CALLING_CODE = re.compile(r"(?:\+|00)? ?([1-9][0-9 \-]{0,11})")
FILLERS = frozenset({"the", "and", "of", "islands", "island", "st", "saint"})


def places(text: str) -> tuple[str, ...]:
    """The ISO 3166 regions that ``text`` means; empty if it means none that is known.

    Two letters are an ISO code, digits a calling code with or without the first digits of a range
    (``1246`` is Barbados, ``44`` everywhere that shares it, ``1`` the US and Canada), and anything
    else an English name. Codes that belong to no country, such as ``+870``, stay as they are.
    """
    text = text.strip()
    if len(text) == 2 and text.isascii() and text.isalpha() and text.upper() in SUPPORTED_REGIONS:
        return (text.upper(),)
    digits = CALLING_CODE.fullmatch(text)
    if digits:
        return _by_calling_code(re.sub(r"[ \-]", "", digits[1]))
    iso = _names().get(_key(text))
    return (iso,) if iso else ()


def _by_calling_code(digits: str) -> tuple[str, ...]:
    for length in (1, 2, 3):
        code, rest = digits[:length], digits[length:]
        regions = COUNTRY_CODE_TO_REGION_CODE.get(int(code), ())
        if regions == (NOWHERE,):
            return (f"+{code}",)
        if regions:
            in_range = tuple(region for region in regions if rest and _begins(region, rest))
            if code == "1":
                return in_range or (("US",) if rest else ("US", "CA"))
            return in_range or regions
    return ()


def _begins(region: str, rest: str) -> bool:
    """Whether numbers of the region, which shares its calling code, begin with these digits."""
    metadata = PhoneMetadata.metadata_for_region(region)
    leading = metadata.leading_digits if metadata else None
    return leading is not None and re.match(leading, rest) is not None


@cache
def _names() -> Mapping[str, str]:
    with files("pumpguard.data").joinpath("country_names.csv").open(encoding="utf-8") as lines:
        return {_key(row["name"]): row["iso"] for row in csv.DictReader(lines)}


@cache
def _key(name: str) -> str:
    """The same for every order, case, accent and filler: ``Korea (South)`` is ``South Korea``."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().casefold()
    words = re.findall(r"[a-z]+", plain.replace("'", "").replace(".", "").replace("&", " "))
    return " ".join(sorted(word for word in words if word not in FILLERS) or words)
