"""Rows of a file, whatever is in it: what cannot be read is counted, with its place and reason.

CSV (by comma, semicolon, tab or bar), JSON lines and access logs, also packed with gzip; in UTF-8,
UTF-16 or, line by line, Latin-1; also one JSON document that is a list, of up to 64 MB. Names in
JSON that are nested are joined: ``{"delivery": {"destination": …}}`` is ``delivery_destination``.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator, Mapping
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import IO, Any

from pumpguard.errors import PolicyError
from pumpguard.replay import access_log
from pumpguard.replay.columns import flat
from pumpguard.replay.problems import Problems

LONGEST_LINE = 1 << 20
"""Bytes. A message's row has some hundred; what is longer is one bad line."""

LONGEST_DOCUMENT = 64 << 20
"""Bytes of a JSON document that is no JSON lines."""

MOST_COLUMNS = 1_000
MOST_LINES = 20
"""That one quoted value may go over. A quote that is never closed would swallow the whole file."""

GZIP, UTF16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")

NO_TABLES = {
    b"PK\x03\x04": "a spreadsheet (.xlsx, .ods) or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (.xls)",
    b"PAR1": "Parquet",
}
"""What people have instead, by its first bytes."""


Row = Mapping[str, str]


class Table:
    """One file's rows, read as they are asked for. Raises `PolicyError` if it is no table at all;
    ``header`` are the names of its columns."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise PolicyError(str(path), "a file that is there")
        self.path = path
        self.problems = Problems()
        self._file: IO[bytes] | None = None
        self._told = 0
        self._lines = self._decoded()
        first = next(((n, line) for n, line in self._lines if line.strip()), None)
        if first is None:
            raise PolicyError(str(path), "rows; the file is empty")
        self._is_access_log = False
        self._is_json = first[1].lstrip()[:1] in ("{", "[")
        self._first = first
        if self._is_json:
            self._objects = self._of_json()
            self._head = [row for _, row in zip(range(50), self._objects, strict=False)]
            named = (flat(found, nothing="") for _, found in self._head)
            self.header = list(dict.fromkeys(chain.from_iterable(named)))
            if not self.header:
                raise PolicyError(str(path), "JSON objects, one a line")
        elif access_log.row(first[1]) is not None:
            self._is_access_log, self.header = True, list(access_log.NAMES)
        else:
            self._delimiter = max(",;\t|", key=first[1].count)
            try:
                self.header = next(csv.reader([first[1]], delimiter=self._delimiter))
            except csv.Error as error:
                raise PolicyError(str(path), f"a header of CSV ({error})") from None
            if len(self.header) > MOST_COLUMNS:
                expected = f"at most {MOST_COLUMNS} columns"
                raise PolicyError(str(path), expected, f"{len(self.header)} columns")

    def rows(self) -> Iterator[tuple[int, Row]]:
        """Each with its line's number. To be called once."""
        if self._is_json:
            yield from ((number, flat(found)) for number, found in chain(self._head, self._objects))
        elif self._is_access_log:
            yield from self._of_access_log()
        else:
            yield from self._of_csv()

    def close(self) -> None:
        """Also if it was not read to its end."""
        if self._file is not None:
            self._file.close()

    def taken(self) -> int:
        """The bytes of the file, packed as they lie there, that were read since this was asked."""
        file, before = self._file, self._told
        if file is not None:
            self._told = self.path.stat().st_size if file.closed else file.tell()
        return self._told - before

    def _of_access_log(self) -> Iterator[tuple[int, Row]]:
        for number, line in chain([self._first], self._lines):
            row = access_log.row(line)
            if row is not None:
                yield number, row
            elif line.strip():
                self.problems.add(number, "no line of an access log")

    def _of_csv(self) -> Iterator[tuple[int, Row]]:
        lines = chain(self._lines)
        waiting: list[tuple[int, str]] = []
        while True:
            number, line = waiting.pop(0) if waiting else next(lines, (0, None))
            if line is None:
                return
            if not line.strip():
                continue
            joined = line
            taken: list[tuple[int, str]] = []
            while joined.count('"') % 2 and len(taken) < MOST_LINES:
                more = waiting.pop(0) if waiting else next(lines, None)
                if more is None:
                    break
                taken.append(more)
                joined += more[1]
            if joined.count('"') % 2:
                self.problems.add(number, "a quote that is never closed")
                waiting = taken + waiting
                continue
            try:
                values = next(csv.reader(joined.splitlines(True), delimiter=self._delimiter))
            except csv.Error as error:
                self.problems.add(number, f"no CSV: {error}")
                continue
            if len(values) > len(self.header):
                self.problems.add(number, f"{len(values)} values for {len(self.header)} columns")
                continue
            yield number, dict(zip(self.header, values, strict=False))

    def _of_json(self) -> Iterator[tuple[int, dict[str, Any]]]:
        number, line = self._first
        if line.lstrip().startswith("["):
            yield from self._document(line)
            return
        for number, line in chain([self._first], self._lines):
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                self.problems.add(number, "no JSON")
                continue
            if isinstance(found, dict):
                yield number, found
            else:
                self.problems.add(number, "no JSON object")

    def _document(self, first: str) -> Iterator[tuple[int, dict[str, Any]]]:
        text, size = [first], 0
        for _, line in self._lines:
            size += len(line)
            if size > LONGEST_DOCUMENT:
                expected = f"JSON lines: one document may have {LONGEST_DOCUMENT >> 20} MB"
                raise PolicyError(str(self.path), expected)
            text.append(line)
        try:
            found = json.loads("".join(text))
        except (ValueError, RecursionError) as error:
            raise PolicyError(str(self.path), f"JSON ({error})") from None
        for number, each in enumerate(found, 1):
            if isinstance(each, dict):
                yield number, each
            else:
                self.problems.add(number, "no JSON object")

    def _decoded(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers."""
        try:
            with self.path.open("rb") as self._file:
                begins = self._file.read(4)
                if begins in NO_TABLES:
                    expected = "CSV or JSON lines: save a spreadsheet as CSV (UTF-8), unpack a ZIP"
                    raise PolicyError(str(self.path), expected, NO_TABLES[begins])
                packed = begins[:2] == GZIP
                self._file.seek(0)
                with gzip.open(self._file) if packed else self._file as file:
                    yield from self._texts(file)
        except (OSError, EOFError) as error:
            self.problems.add(0, f"the file ends early or cannot be read ({type(error).__name__})")

    def _texts(self, file: IO[bytes] | Any) -> Iterator[tuple[int, str]]:
        number = 0
        while line := file.readline(LONGEST_LINE):
            number += 1
            if number == 1 and (wide := _wide(line)):
                yield from self._wide_texts(file, wide)
                return
            if not line.endswith(b"\n") and len(line) >= LONGEST_LINE:
                self._too_long(number)
                while line and not line.endswith(b"\n"):
                    line = file.readline(LONGEST_LINE)
                continue
            if b"\0" in line:
                self.problems.add(number, "a NUL byte")
                continue
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                self.problems.counts["not UTF-8, read as Latin-1 (the row counts)"] += 1
                yield number, line.decode("latin-1")

    def _wide_texts(self, file: IO[bytes] | Any, encoding: str) -> Iterator[tuple[int, str]]:
        file.seek(0)
        text, number = TextIOWrapper(file, encoding, "replace"), 0
        try:
            while line := text.readline(LONGEST_LINE):
                number += 1
                if not line.endswith("\n") and len(line) >= LONGEST_LINE:
                    self._too_long(number)
                    while line and not line.endswith("\n"):
                        line = text.readline(LONGEST_LINE)
                else:
                    yield number, line.lstrip("\ufeff")
        finally:
            text.detach()

    def _too_long(self, number: int) -> None:
        """Nothing else can be told without the first line. Raises `PolicyError`."""
        if number == 1:
            expected = f"a header of at most {MOST_COLUMNS} columns, or JSON lines; none over 1 MB"
            raise PolicyError(str(self.path), expected)
        self.problems.add(number, f"longer than {LONGEST_LINE >> 20} MB")


def _wide(line: bytes) -> str | None:
    """The encoding of a first line that is UTF-16, with a mark or without one."""
    if line[:2] in UTF16 or line[1:2] == b"\0":
        return "utf-16-be" if line[:2] == UTF16[1] else "utf-16-le"
    return "utf-16-be" if line[:1] == b"\0" and line[1:2] else None
