"""Valid mobile numbers for users, and blocks of valid mobile numbers for attackers.

A country's mobile ranges are read out of libphonenumber's own plan. Validating one number costs
tenths of a millisecond, so ranges are validated (a dozen numbers each) and numbers are then drawn
freely within a range.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType, carrier

RANGES = 24
"""Ranges per country: enough for a Zipf over the carriers' market shares."""

_MOBILE = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)


@dataclass(frozen=True, slots=True)
class MobileRange:
    """All national numbers of one length that start with one prefix: every one is valid."""

    region: str
    calling_code: int
    prefix: str
    free_digits: int

    @property
    def size(self) -> int:
        """How many numbers the range holds."""
        return int(10**self.free_digits)

    def number(self, index: int) -> str:
        """The range's number at an index, in E.164."""
        return f"+{self.calling_code}{self.prefix}{index:0{self.free_digits}d}"


def is_mobile(number: str) -> bool:
    """True for a number that a person may hold in the hand."""
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(parsed) and phonenumbers.number_type(parsed) in _MOBILE


def _is_mobile(number: str, region: str) -> bool:
    parsed = phonenumbers.parse(number)
    return (
        phonenumbers.is_valid_number(parsed)
        and phonenumbers.region_code_for_number(parsed) == region
        and phonenumbers.number_type(parsed) in _MOBILE
        and phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) == number
    )


def _prefixes(pattern: re.Pattern[str], length: int, digits: int, rng: random.Random) -> list[str]:
    """All prefixes under which random numbers fit the plan's pattern, in random order."""
    fill = f"%0{length - digits}d"
    size = 10 ** (length - digits)
    found = [f"{n:0{digits}d}" for n in range(10**digits)]
    for _ in range(3):
        found = [p for p in found if pattern.fullmatch(p + fill % rng.randrange(size))]
    rng.shuffle(found)
    return found


def _lengths(region: str) -> tuple[int, int, int]:
    """A country's calling code, the digits of a range's prefix, and those that are free in it."""
    example = phonenumbers.example_number_for_type(region, PhoneNumberType.MOBILE)
    if not example or example.country_code is None:
        raise ValueError(f"libphonenumber knows no mobile numbers of {region}")
    length = len(str(example.national_number))
    digits = max(2, min(4, length - 4))
    return example.country_code, digits, length - digits


def may_hold(region: str) -> int:
    """How many numbers the ranges of a country hold at most, without looking for them."""
    return int(RANGES * 10 ** _lengths(region)[2])


@cache
def mobile_ranges(region: str) -> tuple[MobileRange, ...]:
    """Up to ``RANGES`` wholly valid mobile ranges of a country, the same on every call."""
    metadata = PhoneMetadata.metadata_for_region(region, None)
    mobile = metadata and metadata.mobile
    calling_code, digits, free = _lengths(region)
    rng = random.Random(f"ranges:{region}")
    pattern = re.compile((mobile and mobile.national_number_pattern) or "")
    chosen: list[MobileRange] = []
    for prefix in _prefixes(pattern, digits + free, digits, rng):
        candidate = MobileRange(region, calling_code, prefix, free)
        probes = [0, candidate.size - 1, *(rng.randrange(candidate.size) for _ in range(10))]
        if all(_is_mobile(candidate.number(i), region) for i in probes):
            chosen.append(candidate)
            if len(chosen) == RANGES:
                break
    if not chosen:
        raise ValueError(f"no wholly valid mobile range found in {region}")
    return tuple(chosen)


@cache
def _market_shares(count: int) -> tuple[float, ...]:
    """Cumulative Zipf weights: the first range is the biggest carrier's, and so on."""
    return tuple(accumulate(1 / rank for rank in range(1, count + 1)))


def mobile_number(region: str, rng: random.Random) -> str:
    """One person's number: a range by market share, then any number of it."""
    ranges = mobile_ranges(region)
    (chosen,) = rng.choices(ranges, cum_weights=_market_shares(len(ranges)))
    return chosen.number(rng.randrange(chosen.size))


def carrier_ranges(region: str) -> dict[str, list[MobileRange]]:
    """The country's ranges by the carrier that they were first allocated to."""
    found: dict[str, list[MobileRange]] = {}
    for each in mobile_ranges(region):
        name = carrier.name_for_number(phonenumbers.parse(each.number(0)), "en")
        if name:
            found.setdefault(name, []).append(each)
    return found


def largest_carrier(region: str) -> list[MobileRange]:
    """The ranges of the carrier that holds most of them."""
    return max(carrier_ranges(region).values(), key=len)


def mobile_blocks(
    ranges: Sequence[MobileRange], count: int, size: int, rng: random.Random
) -> list[list[str]]:
    """Blocks of adjacent numbers, all valid: what a carrier rents out to a fraudster."""
    homes = rng.sample([r for r in ranges if r.size >= size], count)
    firsts = [rng.randrange(r.size // size) * size for r in homes]
    return [[r.number(f + n) for n in range(size)] for r, f in zip(homes, firsts, strict=True)]
