"""Files as strangers have them: what can be read is read, and the rest is counted and shown."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pumpguard import PolicyError
from pumpguard.replay import read
from pumpguard.replay.read import Table

HEADER = "time,to\n"


def table(folder: Path, data: bytes | str) -> Table:
    path = folder / "log"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return Table(path)


def values(found: Table) -> list[list[str]]:
    return [list(row.values()) for _, row in found.rows()]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_rows_have_whatever_stands_between_them(tmp_path: Path, delimiter: str) -> None:
    found = table(tmp_path, f"time{delimiter}to\n1{delimiter}2\n")
    assert values(found) == [["1", "2"]]


def test_a_packed_file_is_read_as_it_is(tmp_path: Path) -> None:
    found = table(tmp_path, gzip.compress(b"time,to\n1,2\n3,4\n"))
    assert values(found) == [["1", "2"], ["3", "4"]]


def test_a_packed_file_that_ends_early_is_read_so_far(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{n},{n}\n" for n in range(50_000)).encode())
    found = table(tmp_path, whole[: len(whole) // 2])
    assert len(values(found)) > 1_000
    assert any("ends early" in reason for reason in found.problems.counts)


@pytest.mark.parametrize("packed", [False, True])
def test_it_tells_how_far_it_is(tmp_path: Path, packed: bool) -> None:
    """In bytes of the file as it lies there, packed or not."""
    data = HEADER.encode() + b"".join(b"%d,%d\n" % (n, n * n) for n in range(200_000))
    found, told = table(tmp_path, gzip.compress(data) if packed else data), list[int]()
    for number, _ in found.rows():
        if number == 100_000:
            told.append(found.taken())
    told.append(found.taken())
    size = found.path.stat().st_size
    assert sum(told) == size
    assert min(told) > size / 4


def test_json_is_read_line_by_line_and_its_names_are_joined(tmp_path: Path) -> None:
    rows = [{"delivery": {"destination": "+1", "mcc": 310}, "ok": True}, {"late": 1}]
    text = "\n".join([json.dumps(rows[0]), "{broken", "[1]", "", json.dumps(rows[1])])
    found = table(tmp_path, text)
    assert found.header == ["delivery_destination", "delivery_mcc", "ok", "late"]
    assert values(found) == [["+1", "310", "true"], ["1"]]
    assert found.problems.counts == {"no JSON": 1, "no JSON object": 1}
    assert found.problems.examples == [(2, "no JSON"), (3, "no JSON object")]


def test_a_name_that_has_nothing_at_first_is_a_column_too(tmp_path: Path) -> None:
    """Such as when a code was entered, in a log that begins with an attack."""
    rows = [{"to": "1", "codes": {"verified_at": None}}] * 60
    rows.append({"to": "1", "codes": {"verified_at": "2"}})
    found = table(tmp_path, "".join(json.dumps(row) + "\n" for row in rows))
    assert found.header == ["to", "codes_verified_at"]
    assert values(found)[-2:] == [["1"], ["1", "2"]]


def test_a_list_in_one_document_is_a_table_too(tmp_path: Path) -> None:
    found = table(tmp_path, json.dumps([{"to": "1"}, {"to": "2"}, 3], indent=1))
    assert values(found) == [["1"], ["2"]]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "latin-1"])
def test_an_encoding_is_no_reason_to_give_up(tmp_path: Path, encoding: str) -> None:
    found = table(tmp_path, "time,to\n1,Zürich\n".encode(encoding))
    assert values(found) == [["1", "Zürich"]]


def test_a_large_file_of_two_bytes_a_character_is_read_line_by_line(tmp_path: Path) -> None:
    """Also packed, and what is too long in it is one bad line."""
    rows = [f"{n},{n}\n" for n in range(10_000)]
    rows[7] = "9" * (2 << 20) + "\n"
    data = (HEADER + "".join(rows)).encode("utf-16")
    for each in (data, gzip.compress(data, 1)):
        found = table(tmp_path, each)
        tracemalloc.start()
        assert sum(1 for _ in found.rows()) == 9_999
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8 << 20
        assert found.problems.examples == [(9, "longer than 1 MB")]


def test_lines_of_two_encodings_are_both_read(tmp_path: Path) -> None:
    found = table(tmp_path, HEADER.encode() + "1,ü\n".encode() + "2,ü\n".encode("latin-1"))
    assert values(found) == [["1", "ü"], ["2", "ü"]]
    assert found.problems.counts == {"not UTF-8, read as Latin-1 (the row counts)": 1}


def test_a_quote_that_is_never_closed_costs_its_own_line(tmp_path: Path) -> None:
    """And not the rest of the file."""
    rest = "".join(f"{n},{n}\n" for n in range(100))
    found = table(tmp_path, HEADER + '1,"open\n' + rest)
    assert len(values(found)) == 100
    assert found.problems.examples == [(2, "a quote that is never closed")]


def test_a_quoted_value_may_go_over_lines(tmp_path: Path) -> None:
    found = table(tmp_path, HEADER + '1,"two\nlines"\n3,4\n')
    assert values(found) == [["1", "two\nlines"], ["3", "4"]]


def test_bad_lines_are_named_and_the_rest_is_read(tmp_path: Path) -> None:
    long = "9," + "9" * (2 << 20)
    found = table(tmp_path, f"{HEADER}1,2,3\n1,\0\n{long}\n5,6\n")
    assert values(found) == [["5", "6"]]
    assert found.problems.examples == [
        (2, "3 values for 2 columns"), (3, "a NUL byte"), (4, "longer than 1 MB"),
    ]  # fmt: skip


def test_a_file_that_is_no_table_says_so(tmp_path: Path) -> None:
    """Nothing, or a million columns."""
    with pytest.raises(PolicyError, match="the file is empty"):
        table(tmp_path, "\n\n")
    with pytest.raises(PolicyError, match="at most 1000 columns"):
        table(tmp_path, ",".join(["a"] * 300_000) + "\n")
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(PolicyError, match="a header of at most 1000 columns"):
            table(tmp_path, (",".join(["a"] * 1_000_000) + "\n1,2\n").encode(encoding))


@settings(max_examples=200)
@given(data=st.binary(max_size=400))
def test_no_bytes_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "log"
    path.write_bytes(data)
    try:
        found = Table(path)
        for _, row in found.rows():
            assert all(isinstance(value, str) for value in row.values())
    except PolicyError:
        pass


def test_a_quote_that_is_open_at_the_end_is_said(tmp_path: Path) -> None:
    """And empty lines are none."""
    found = table(tmp_path, f'{HEADER}\n1,2\n\n3,"4\n')
    assert values(found) == [["1", "2"]]
    assert found.problems.lines("log") == ["log: 1 row: a quote that is never closed (line 5)."]


def test_of_many_bad_lines_the_first_three_are_named(tmp_path: Path) -> None:
    found = table(tmp_path, HEADER + "1,2,3\n" * 9)
    assert values(found) == []
    assert found.problems.lines("log") == ["log: 9 rows: 3 values for 2 columns (line 2, 3, 4)."]


def test_one_document_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has to be in memory as a whole."""
    monkeypatch.setattr(read, "LONGEST_DOCUMENT", 1 << 20)
    rows = ",\n".join(['{"to": "+447400123456"}'] * 50_000)
    with pytest.raises(PolicyError, match="expected JSON lines: one document may have 1 MB"):
        table(tmp_path, f"[\n{rows}\n]")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="none: expected a file that is there"):
        Table(tmp_path / "none")


@pytest.mark.parametrize(
    ("begins", "what"),
    [
        (b"PK\x03\x04", "(.xlsx"),
        (b"\xd0\xcf\x11\xe0", "(.xls)"),
        (b"PAR1", "Parquet"),
    ],
)
def test_a_spreadsheet_says_what_to_do(tmp_path: Path, begins: bytes, what: str) -> None:
    with pytest.raises(PolicyError) as refused:
        table(tmp_path, begins + bytes(range(256)))
    assert "save a spreadsheet as CSV (UTF-8), unpack a ZIP, got" in str(refused.value)
    assert what in str(refused.value)
