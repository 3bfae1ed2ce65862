"""Files as one journal, or why they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpguard import PolicyError
from pumpguard.replay.logs import read
from pumpguard.replay.requests import Sending


def test_a_log_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    """With counts and lines, as one of which some can be read."""
    path = tmp_path / "log.csv"
    path.write_text("sent_at,phone\n" + "2026-11-16,+447400123456\n" * 4 + "1777800000,4.47E+11\n")
    with pytest.raises(PolicyError) as refused:
        read([path], {}, "UTC", None)
    assert str(refused.value).splitlines() == [
        "the log: expected a message that can be read",
        "  log.csv: 4 rows: a day without an hour (line 2, 3, 4).",
        "  log.csv: 1 row: a number that a spreadsheet has rounded (line 6).",
    ]


def test_what_is_odd_about_all_files_together_is_a_note(tmp_path: Path) -> None:
    """A message log in UTC, and codes in local time."""
    messages, codes = tmp_path / "messages.csv", tmp_path / "codes.csv"
    messages.write_text("sent_at,phone\n2026-11-16T12:00:00Z,+447400123456\n")
    codes.write_text("verified_at,phone\n2026-11-16 13:00:30,+447400123456\n")
    found = read([messages, codes], {}, "UTC", None)
    assert found.notes[0].startswith("Codes that belong to no message in the hour before")
    found = read([messages, codes], {}, "Europe/Berlin", None)
    assert found.notes == ["codes.csv: times without a zone, taken as Europe/Berlin: 1."]


HEAD = "SentDate,To,Status,NumSegments,Sid,Direction,Price,PriceUnit\n"


def export(path: Path, messages: range, status: str = "delivered") -> Path:
    """Twilio's log of so many messages, one a minute."""
    rows = (
        f"2026-11-16T12:{n:02}:00Z,+4474001234{n:02},{status},1,SM{n:032x},outbound-api,-0.05,USD\n"
        for n in messages
    )
    path.write_text(HEAD + "".join(rows))
    return path


def test_a_message_that_two_exports_have_is_one(tmp_path: Path) -> None:
    """By the provider's id; what the later one says of it stands."""
    first = export(tmp_path / "a.csv", range(30), "queued")
    second = export(tmp_path / "b.csv", range(20, 50), "failed")
    found = read([first, second], {}, "UTC", None)
    assert found.journal.messages == 50
    assert found.notes == [
        "Read twice, by the provider's id of the message, and left out once: 10 rows."
    ]
    assert sum(not each.sent for each in found.journal) == 30


def test_a_message_that_stands_twice_in_one_export_is_one(tmp_path: Path) -> None:
    path = export(tmp_path / "a.csv", range(30))
    path.write_text(path.read_text() + path.read_text().removeprefix(HEAD))
    assert read([path], {}, "UTC", None).journal.messages == 30


def test_a_file_that_is_given_twice_is_read_once(tmp_path: Path) -> None:
    """Also under another name; a file that only has its size is another one."""
    first, other = export(tmp_path / "a.csv", range(9)), tmp_path / "copy.csv"
    other.write_bytes(first.read_bytes())
    found = read([first, other, first, export(tmp_path / "c.csv", range(10, 19))], {}, "UTC", None)
    assert found.journal.messages == 18
    same = f"left out, it is the same as {first}."
    assert found.notes == [f"{other}: {same}", f"{first}: {same}"]


def table(path: Path, *rows: str) -> Path:
    """One of one's own, which has no id that could be known."""
    path.write_text("".join(f"{row}\n" for row in ("id,sent_at,phone,ip,used_at", *rows)))
    return path


def test_without_an_id_what_is_alike_in_two_files_is_one(tmp_path: Path) -> None:
    """And what is alike in one file is as many as stand there. A code that was entered since is
    one too."""
    once, twice = "1,1794832215,+447400123456,5.10.0.1,", "2,1794832216,+447400123457,5.10.0.1,"
    first = table(tmp_path / "a.csv", once, twice, twice)
    second = table(tmp_path / "b.csv", f"{once}1794832250", twice, "3,1794832217,+447400123458,,")
    found = read([first, second], {}, "UTC", None)
    assert [each.phone[-1] for each in found.journal if not each.is_verification] == list("6778")
    assert found.journal.verifications == 1
    assert found.notes[0].endswith("time, number and address, and counted once: 2 rows.")


def test_lines_that_several_servers_write_are_all_requests(tmp_path: Path) -> None:
    line = '5.10.0.1 - - [04/May/2026:00:00:00 +0000] "POST /s HTTP/1.1" 202 1\n'
    paths = [tmp_path / "a.log", tmp_path / "b.log"]
    for n, path in enumerate(paths, 1):
        path.write_text(line * n)
    assert read(paths, {}, "UTC", None, Sending.of("/s", None)).journal.messages == 3


def test_a_file_without_rows_is_said(tmp_path: Path) -> None:
    """Beside others it is no reason to give up."""
    empty, full = tmp_path / "codes.csv", export(tmp_path / "a.csv", range(2))
    empty.write_text("phone,verified_at\n")
    assert read([full, empty], {}, "UTC", None).files[1].problems.lines("codes.csv") == [
        "codes.csv: a header, and no row below it."
    ]
    with pytest.raises(PolicyError, match=r"codes\.csv: a header, and no row below it"):
        read([empty], {}, "UTC", None)


def test_national_numbers_need_a_region(tmp_path: Path) -> None:
    """That is said, and so is that they were taken for numbers of there."""
    path = tmp_path / "log.csv"
    path.write_text("sent_at,phone\n1794832215,07400 123456\n")
    with pytest.raises(PolicyError, match="without its calling code; --region GB says of which"):
        read([path], {}, "UTC", None)
    found = read([path], {}, "UTC", "GB")
    assert [each.phone for each in found.journal] == ["+447400123456"]
    assert found.notes == [
        "log.csv: numbers without a +, taken for those of GB that they are there: 1."
    ]
