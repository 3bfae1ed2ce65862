"""Rows as entries: times, numbers, prices and what became of a message, as logs write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.replay.columns import Columns
from pumpguard.replay.entry import CODE_ENTERED, Entry, Parser

AT = datetime(2026, 5, 4, 12, 30, 15, tzinfo=UTC).timestamp()
PHONE = "+447400123456"
ALL = (
    "time",
    "hour",
    "phone",
    "address",
    "verified",
    "price",
    "currency",
    "status",
    "direction",
    "part",
)


def parser(*meanings: str, **settings: object) -> Parser:
    return Parser(Columns({name: name for name in meanings or ALL}), **settings)  # type: ignore[arg-type]


def entries(row: dict[str, str], **settings: object) -> list[Entry]:
    return list(parser(**settings).entries({"time": str(AT), "phone": PHONE, **row}))


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-04T12:30:15Z",
        "2026-05-04T14:30:15+02:00",
        "2026-05-04 12:30:15 UTC",
        "12:30:15 UTC 2026-05-04",
        "Mon, 04 May 2026 12:30:15 +0000",
        f"{AT:.0f}",
        f"{AT:.3f}",
        f"{AT * 1_000:.0f}",
        f"{AT * 1e6:.0f}",
    ],
)
def test_a_time_is_read_as_it_is_written(text: str) -> None:
    """That of a message, and that at which its code was entered."""
    assert entries({"time": text})[0].at == AT
    assert [each.at for each in entries({"time": str(AT - 60), "verified": text})] == [AT - 60, AT]


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        ("2026-05-04", "12:30:15"),
        ("04.05.2026", "12:30:15"),
        ("2026-05-04", "2026-05-04T14:30:15+02:00"),
        ("2026-05-04T12:30:15Z", "12:30"),
        ("2026-05-04T12:30:15Z", ""),
    ],
)
def test_a_day_and_its_hour_are_read_together(day: str, hour: str) -> None:
    """Or the one of them that has both."""
    assert entries({"time": day, "hour": hour})[0].at == AT


def test_a_time_without_a_zone_is_in_the_one_that_is_named() -> None:
    """And that is said."""
    zone = ZoneInfo("Europe/Berlin")
    reading = parser(zone=zone)
    (entry,) = reading.entries({"time": "2026-05-04 14:30:15", "phone": PHONE})
    assert entry.at == AT
    assert reading.said == {"times without a zone": 1}


def test_a_day_with_dots_is_before_its_month() -> None:
    """Wherever it is written so."""
    assert entries({"time": "04.05.2026 12:30:15"})[0].at == AT
    assert entries({"time": "4.5.2026, 12:30"})[0].at == AT - 15


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"time": ""}, "no time"),
        ({"time": "soon"}, "a time that cannot be read"),
        ({"time": "1969-12-31T23:59:59Z"}, "a time before 2000"),
        ({"time": "2026-11-16"}, "a day without an hour"),
        ({"time": "20261116"}, "a day without an hour"),
        ({"time": "2026-11-16Z"}, "a day without an hour"),
        ({"time": "2026-W47-1"}, "a day without an hour"),
        ({"phone": ""}, "no number"),
        ({"phone": "4.47E+11"}, "a number that a spreadsheet has rounded"),
        ({"phone": "4,47487521278e11"}, "a number that a spreadsheet has rounded"),
        ({"phone": "hello"}, "no telephone number"),
        ({"phone": "(07400) 123456"}, "a number without its calling code; --region"),
        ({"phone": "+1XXX5550100"}, "a masked number"),
        ({"price": "free"}, "a price that is no number"),
    ],
)
def test_what_cannot_be_read_is_a_reason(row: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        entries(row)


def test_plain_digits_are_a_number() -> None:
    """As Vonage and others write them."""
    assert entries({"phone": "447400123456"})[0].phone == PHONE


@pytest.mark.parametrize("number", ["447487521278", "4915112345678", "493012345678"])
def test_a_number_that_pandas_wrote_is_the_one_without_its_point(number: str) -> None:
    """Its zero is no digit of it."""
    assert entries({"phone": f"{number}.0"})[0].phone == f"+{number}"


def test_a_price_may_be_negative_and_only_dollars_count() -> None:
    """Twilio's are what the account lost."""
    assert entries({"price": "-0.0079", "currency": "USD"})[0].price == 0.0079
    assert entries({"price": "0.05", "currency": "EUR"})[0].price is None


def test_a_message_that_failed_was_not_sent() -> None:
    """One that was not delivered was, and is billed."""
    assert [entries({"status": each})[0].sent for each in ("failed", "undelivered")] == [
        False,
        True,
    ]


def test_what_came_in_is_no_message_of_ours() -> None:
    assert entries({"direction": "inbound"}) == []


def test_a_code_that_was_entered_is_an_entry_of_its_own() -> None:
    """At its time, or soon after the message where the log only says that it was."""
    send, entered = entries({"verified": f"{AT + 40:.0f}"})
    assert (send.is_verification, entered.is_verification, entered.at) == (False, True, AT + 40)
    assert entries({"verified": "true"})[1].at == AT + CODE_ENTERED
    assert len(entries({"verified": "converted"})) == 2
    assert [len(entries({"verified": each})) for each in ("", "0", "false", "expired")] == [1] * 4


def test_a_code_of_which_only_the_day_is_known_was_entered() -> None:
    """Midnight would be before its message."""
    reading = parser()
    row = {"time": str(AT), "phone": PHONE, "verified": "2026-05-04"}
    assert [each.at for each in reading.entries(row)] == [AT, AT + CODE_ENTERED]
    assert list(reading.said) == [
        "codes with a day and no hour, taken as entered soon after the message"
    ]


@given(text=st.text(max_size=40))
def test_no_text_raises_anything_but_a_reason(text: str) -> None:
    for meaning in ALL:
        with suppress(ValueError):
            entries({meaning: text})
