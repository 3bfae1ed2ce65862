"""What is odd about a whole log is said, once."""

from __future__ import annotations

import pytest

from pumpguard.replay.doubts import MANY, doubts
from pumpguard.replay.entry import Entry
from pumpguard.replay.journal import Journal

AT = 1_777_800_000.0
HOUR = 3_600.0


def journal(*entries: Entry) -> Journal:
    found = Journal()
    found._insert(list(entries))
    found.close_books()
    return found


def phone(i: int) -> str:
    return f"+4474001{i:05}"


def answered(count: int, after: float) -> list[Entry]:
    """Messages, each with a code that was entered so many seconds later."""
    return [
        entry
        for i in range(count)
        for entry in (
            Entry(AT + i, phone(i)), Entry(AT + i + after, phone(i), is_verification=True),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("hours", [-8, -1, 1, 2])
def test_codes_in_another_time_zone_belong_to_no_message(hours: int) -> None:
    assert doubts(journal(*answered(216, 30 + hours * HOUR))) == [
        "Codes that belong to no message in the hour before them: 216 of 216. Another time zone "
        "(--zone), or other days? They count for no customer."
    ]


def test_up_to_half_of_the_codes_may_be_late() -> None:
    """Of messages before the log began, for one."""
    late = [Entry(AT, phone(99_000 + i), is_verification=True) for i in range(11)]
    assert doubts(journal(*answered(11, 30), *late)) == []
    assert doubts(journal(*answered(10, 30), *late))[0].partition(": ")[2].startswith("11 of 21.")


def test_one_address_for_all_is_probably_a_proxy() -> None:
    rows = [Entry(AT + i, phone(i), "52.58.1.2") for i in range(300)]
    assert doubts(journal(*rows)) == [
        "All 300 rows with an address have one address, 52.58.1.2: your own proxy's? Rules about "
        "addresses are wrong then."
    ]
    assert doubts(journal(*rows, Entry(AT, phone(301), "81.2.69.142"))) == []
    assert doubts(journal(*rows[: MANY - 1])) == []


@pytest.mark.parametrize("address", ["10.0.0.{}", "192.168.7.{}", "100.64.0.{}", "fd00::{}"])
def test_private_addresses_alone_are_none_of_clients(address: str) -> None:
    rows = [Entry(AT + i, phone(i), address.format(i % 3)) for i in range(300)]
    assert "All 300 rows with an address have private addresses" in doubts(journal(*rows))[0]
    assert doubts(journal(*rows, Entry(AT, phone(301), "81.2.69.142"))) == []


def test_a_log_without_codes_and_addresses_is_not_odd() -> None:
    assert doubts(journal(*[Entry(AT + i, phone(i)) for i in range(300)])) == []
