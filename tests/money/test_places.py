"""Places as price lists write them."""

from __future__ import annotations

import csv
from importlib.resources import files

import phonenumbers
import pytest

from pumpguard.money.price_list import places


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("gb", ("GB",)),
        ("UK", ("GB",)),
        ("United States of America", ("US",)),
        ("Korea, Republic of", ("KR",)),
        ("korea (north)", ("KP",)),
        ("St. Lucia", ("LC",)),
        ("Saint Lucia", ("LC",)),
        ("Congo", ("CG",)),
        ("Democratic Republic of the Congo", ("CD",)),
        ("Guinea", ("GN",)),
        ("Guinea-Bissau", ("GW",)),
        ("Dominica", ("DM",)),
        ("Dominican Republic", ("DO",)),
        ("1", ("US", "CA")),
        ("+1 246", ("BB",)),
        ("1-212", ("US",)),
        ("44", ("GB", "GG", "IM", "JE")),
        ("7", ("RU", "KZ")),
        ("77", ("KZ",)),
        ("00353", ("IE",)),
        ("870", ("+870",)),
        ("ZZ", ()),
        ("", ()),
        ("0", ()),
        ("210", ()),
        ("Atlantis", ()),
    ],
)
def test_how_places_are_written(text: str, regions: tuple[str, ...]) -> None:
    """ISO codes, names in any order of words, calling codes and their ranges."""
    assert places(text) == regions


def test_every_region_with_telephones_has_a_name_and_no_name_means_two() -> None:
    """The names are complete, and fillers such as "Saint" tell no two of them apart."""
    with files("pumpguard.data").joinpath("country_names.csv").open(encoding="utf-8") as lines:
        rows = [(row["iso"], row["name"]) for row in csv.DictReader(lines)]
    assert {iso for iso, _ in rows} >= phonenumbers.SUPPORTED_REGIONS
    for iso, name in rows:
        assert places(name) == (iso,), name
