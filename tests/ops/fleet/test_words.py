"""Counters and durations in words, as an operator reads them."""

from __future__ import annotations

import pytest

from pumpguard.counters import Ban, Counter, Credit, Distinct, Neighbours, Reading, Spend, Window
from pumpguard.counters.known import Known
from pumpguard.ops.events.words import about
from pumpguard.ops.fleet.words import counted, lasting

DAY, MILLION = 86_400, 1_000_000


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "a moment"), (1, "a second"), (90, "90 seconds"), (3_600, "an hour"),
        (14_400, "4 hours"), (86_000, "a day"), (129_600, "36 hours"), (50 * 3_600, "2 days"),
    ],
)  # fmt: skip
def test_a_duration_has_one_unit(seconds: float, words: str) -> None:
    assert lasting(seconds) == words


def test_dimensions_have_names() -> None:
    """Several together, blocks of numbers by their size; one of the policy's own by its own."""
    assert about("phone+network") == "this number with this address"
    assert about("prefix:3") == "its block of 1,000 numbers"
    assert about("tenant") == "tenant"


@pytest.mark.parametrize(
    ("counter", "reading", "words"),
    [
        (Window("r", "phone", 3, DAY), Reading(1, 0), "1 of 3 for this number in a day"),
        (Window("r", "phone", 3, DAY), Reading(3, 7_200),
         "3 of 3 for this number in a day; free in 2 hours"),
        (Spend("r", "everything", 5 * MILLION, DAY), Reading(6 * MILLION, 60),
         "$6.00 of $5.00 for everything in a day, $0.00 left; free in a minute"),
        (Credit("r", "prefix:3", 2 * MILLION, DAY), Reading(MILLION, 0),
         "$1.00 unverified of a line of $2.00 for its block of 1,000 numbers"),
        (Credit("r", "country", 2 * MILLION, DAY), Reading(MILLION, 0, (3 * MILLION, 0)),
         "$1.00 unverified of a line of $3.00 for this country"),
        (Distinct("r", "network", 2, DAY, of="country"), Reading(2, 3_600),
         "2 of 2 different for this address in a day; free in an hour"),
        (Neighbours("r", "network", 4, DAY, distance=10), Reading(3, 0),
         "3 of 4 neighbouring numbers in a day"),
        (Ban("r", "network", 3, DAY, frozenset({"limit"})), Reading(2, 600),
         "this address is banned for 10 minutes (level 2)"),
        (Ban("r", "network", 3, DAY, frozenset({"limit"})), Reading(2, 0), None),
        (Known("phone", DAY), Reading(1, 0), None),
    ],
)  # fmt: skip
def test_how_a_counter_stands(counter: Counter, reading: Reading, words: str | None) -> None:
    """With what it is full of; one that bounds nothing says nothing."""
    assert counted(counter, reading) == words
