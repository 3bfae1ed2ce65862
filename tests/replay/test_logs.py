"""Files as one journal, or why they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from pumpguard import PolicyError
from pumpguard.replay.logs import read


def test_a_log_of_which_nothing_can_be_read_says_why(tmp_path: Path) -> None:
    """With counts and lines, as one of which some can be read."""
    path = tmp_path / "log.csv"
    path.write_text("sent_at,phone\n" + "2026-11-16,+447400123456\n" * 4 + "1777800000,4.47E+11\n")
    with pytest.raises(PolicyError) as refused:
        read([path], {}, "UTC", None)
    assert str(refused.value).splitlines() == [
        "the log: expected a message that can be read",
        "  log.csv: 4 rows: a day without an hour (line 2, 3, 4).",
        "  log.csv: 1 rows: a number that a spreadsheet has rounded (line 6).",
    ]


def test_what_is_odd_about_all_files_together_is_a_note(tmp_path: Path) -> None:
    """A message log in UTC, and codes in local time."""
    messages, codes = tmp_path / "messages.csv", tmp_path / "codes.csv"
    messages.write_text("sent_at,phone\n2026-11-16T12:00:00Z,+447400123456\n")
    codes.write_text("verified_at,phone\n2026-11-16 13:00:30,+447400123456\n")
    found = read([messages, codes], {}, "UTC", None)
    assert found.notes[0].startswith("1 of 1 codes belong to no message in the hour before them")
    found = read([messages, codes], {}, "Europe/Berlin", None)
    assert found.notes == ["codes.csv: 1 times without a zone, taken as Europe/Berlin."]
