from __future__ import annotations

import random
from ipaddress import ip_address

import iporigin
import iptocc
import phonenumbers
import pytest

from attack_harness import addresses
from attack_harness.countries import ABROAD, HOME
from attack_harness.numbering import (
    largest_carrier,
    mobile_blocks,
    mobile_number,
    mobile_ranges,
)

ALL = sorted(HOME | ABROAD)


@pytest.mark.parametrize("region", ALL)
def test_drawn_numbers_are_valid_mobile_numbers_of_their_country(region: str) -> None:
    rng = random.Random(3)
    for _ in range(8):
        parsed = phonenumbers.parse(mobile_number(region, rng))
        assert phonenumbers.is_valid_number_for_region(parsed, region)
        assert phonenumbers.number_type(parsed) in (
            phonenumbers.PhoneNumberType.MOBILE,
            phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        )


@pytest.mark.parametrize("region", ALL)
def test_addresses_are_of_their_country_and_not_hosting(region: str) -> None:
    rng = random.Random(4)
    for _ in range(8):
        address = addresses.residential(region, rng)
        assert iptocc.country_code(address) == region
        assert iporigin.classify(address).kind == "unknown"  # type: ignore[no-untyped-call]
        assert ip_address(address).is_global


def test_numbers_follow_market_shares() -> None:
    rng = random.Random(5)
    ranges = mobile_ranges("GB")
    counts = [0] * len(ranges)
    for _ in range(5_000):
        number = mobile_number("GB", rng)
        counts[next(i for i, r in enumerate(ranges) if number.startswith(f"+44{r.prefix}"))] += 1
    harmonic = sum(1 / rank for rank in range(1, len(ranges) + 1))
    for rank in (1, 2, 5):
        assert counts[rank - 1] / 5_000 == pytest.approx(1 / rank / harmonic, rel=0.2)


def test_blocks_are_adjacent_aligned_and_valid() -> None:
    blocks = mobile_blocks(largest_carrier("BD"), 4, 10_000, random.Random(6))
    assert len(blocks) == 4
    for block in blocks:
        values = [int(number) for number in block]
        assert values == list(range(values[0], values[0] + 10_000))
        assert block[0].endswith("0000")
        for number in block[::997]:
            assert phonenumbers.is_valid_number(phonenumbers.parse(number))
    assert len({number for block in blocks for number in block}) == 40_000


def test_the_same_draws_give_the_same_numbers_and_addresses() -> None:
    first, second = random.Random(9), random.Random(9)
    assert mobile_number("FR", first) == mobile_number("FR", second)
    assert addresses.residential("FR", first) == addresses.residential("FR", second)


def test_a_forged_address_is_a_public_one() -> None:
    rng = random.Random(1)
    assert all(ip_address(addresses.anywhere(rng)).is_global for _ in range(200))


def test_a_region_without_mobile_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match="no mobile numbers"):
        mobile_ranges("XX")


def test_addresses_are_known_for_every_country_of_the_users() -> None:
    assert addresses.known_countries() >= set(ALL) | {"PS"}
