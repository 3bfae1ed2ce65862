"""Rows of a file, whatever is in it: what cannot be read is counted, with its place and reason.

CSV (by comma, semicolon, tab or bar) and JSON lines, also packed with gzip, in UTF-8, UTF-16 or,
line by line, Latin-1; also one JSON document that is a list, of up to 64 MB. Nested names of JSON
are joined: ``{"delivery": {"destination": …}}`` is the column ``delivery_destination``.
"""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Any

from pumpguard.errors import PolicyError

LONGEST_LINE = 1 << 20
"""Bytes. A message's row has some hundred; what is longer is one bad line."""

LONGEST_DOCUMENT = 64 << 20
"""Bytes of a JSON document that is no JSON lines."""

MOST_COLUMNS = 1_000
MOST_LINES = 20
"""That one quoted value may go over. A quote that is never closed would swallow the whole file."""

EXAMPLES = 20
GZIP, UTF16 = b"\x1f\x8b", (b"\xff\xfe", b"\xfe\xff")

Row = Mapping[str, str]


@dataclass
class Problems:
    """What could not be read of a file: how often for each reason, and the first places."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, reason: str) -> None:
        self.counts[reason] += 1
        if self.counts[reason] <= 3 and len(self.examples) < EXAMPLES:
            self.examples.append((line, reason))

    def lines(self, name: str) -> list[str]:
        """Each reason as a sentence about the file of that name, with the first places."""
        return [
            f"{name}: {count:,} rows: {reason}{self._where(reason)}."
            for reason, count in self.counts.most_common()
        ]

    def _where(self, reason: str) -> str:
        places = [str(line) for line, why in self.examples if why == reason and line]
        return f" (line {', '.join(places)})" if places else ""


class Table:
    """One file's rows, read as they are asked for. Raises `PolicyError` if it is no table at all;
    ``header`` are the names of its columns."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise PolicyError(str(path), "a file that is there")
        self.path = path
        self.problems = Problems()
        self._lines = self._decoded()
        first = next(((n, line) for n, line in self._lines if line.strip()), None)
        if first is None:
            raise PolicyError(str(path), "rows; the file is empty")
        self._is_json = first[1].lstrip()[:1] in ("{", "[")
        self._first = first
        if self._is_json:
            self._objects = self._of_json()
            self._head = [row for _, row in zip(range(50), self._objects, strict=False)]
            self.header = list(dict.fromkeys(chain.from_iterable(row for _, row in self._head)))
            if not self.header:
                raise PolicyError(str(path), "JSON objects, one a line")
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
            yield from chain(self._head, self._objects)
        else:
            yield from self._of_csv()

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

    def _of_json(self) -> Iterator[tuple[int, Row]]:
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
                yield number, flat(found)
            else:
                self.problems.add(number, "no JSON object")

    def _document(self, first: str) -> Iterator[tuple[int, Row]]:
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
                yield number, flat(each)
            else:
                self.problems.add(number, "no JSON object")

    def _decoded(self) -> Iterator[tuple[int, str]]:
        """The lines with their numbers."""
        try:
            with self.path.open("rb") as file:
                start = file.read(2)
            with gzip.open(self.path) if start == GZIP else self.path.open("rb") as file:
                yield from self._texts(file)
        except (OSError, EOFError) as error:
            self.problems.add(0, f"the file ends early or cannot be read ({type(error).__name__})")

    def _texts(self, file: IO[bytes] | Any) -> Iterator[tuple[int, str]]:
        number, wide = 0, None
        while line := file.readline(LONGEST_LINE):
            number += 1
            if number == 1 and line[:2] in UTF16:
                wide = "utf-16-le" if line[:2] == UTF16[0] else "utf-16-be"
                yield from self._wide(line[2:] + file.read(LONGEST_DOCUMENT), wide)
                return
            if not line.endswith(b"\n") and len(line) >= LONGEST_LINE:
                self.problems.add(number, f"longer than {LONGEST_LINE >> 20} MB")
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

    def _wide(self, data: bytes, encoding: str) -> Iterator[tuple[int, str]]:
        yield from enumerate(data.decode(encoding, "replace").splitlines(True), 1)


def flat(found: Mapping[str, Any], above: str = "", depth: int = 0) -> dict[str, str]:
    """Objects within objects as one row, without lists."""
    row: dict[str, str] = {}
    for name, value in found.items():
        path = f"{above}_{name}" if above else str(name)
        if isinstance(value, dict) and depth < 4:
            row |= flat(value, path, depth + 1)
        elif value is not None and not isinstance(value, list | dict):
            row[path] = str(value).lower() if isinstance(value, bool) else str(value)
    return row
