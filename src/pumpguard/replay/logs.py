"""Several files as one journal, with what was assumed of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import file_digest
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pumpguard.errors import PolicyError
from pumpguard.replay.columns import ACCESS_LOG, Columns, guess
from pumpguard.replay.doubts import doubts
from pumpguard.replay.entry import Parser
from pumpguard.replay.journal import Journal
from pumpguard.replay.problems import Problems
from pumpguard.replay.read import Table
from pumpguard.replay.requests import RequestParser, Sending, nothing_sends

MOST_REASONS = 3
"""Of a file that cannot be read, the most frequent ones: the message is to be read at a glance."""


class FileRead(NamedTuple):
    """A file that was read: its name, what its columns were taken for, and what could not be
    read."""

    name: str
    columns: Columns
    problems: Problems


class Found(NamedTuple):
    """What was read, and what was assumed about it."""

    journal: Journal
    files: list[FileRead]
    notes: list[str]


def read(
    files: Sequence[Path],
    named: dict[str, str],
    zone: str,
    region: str | None,
    sending: Sending | None = None,
    usd: float | None = None,
    watch: Callable[[int], object] = lambda more: None,
) -> Found:
    """All files as one journal. Of an access log are taken the requests that are ``sending``;
    without that it is refused. ``watch`` hears how many bytes more were read. Raises `PolicyError`
    for a file that is no log."""
    where = zone_of(zone)
    journal, read, parsers = Journal(), list[FileRead](), list[Parser]()
    files, notes = once(files)
    for path in files:
        with closing(Table(path)) as table:
            given = named if len(files) == 1 else _those_of(named, table.header)
            columns = guess(table.header, given, path.name)
            parser = _parser(columns, where, region, sending, usd)
            parsers.append(parser)
            journal.add(table, columns, parser, watch)
        read.append(FileRead(path.name, columns, table.problems))
        for what, count in parser.said.items():
            assumed = f", taken as {zone}" if "zone" in what else ""
            notes.append(f"{path.name}: {what}{assumed}: {count:,}.")
    if len({columns.source == ACCESS_LOG for _, columns, _ in read}) > 1:
        raise PolicyError("the files", "access logs by themselves: they are joined to nothing")
    journal.close_books()
    if not journal.messages:
        requests = any(columns.source == ACCESS_LOG for _, columns, _ in read)
        expected = nothing_sends(parsers) if requests else "a message that can be read"
        raise PolicyError("the log", "\n  ".join([expected, *_why_not(read)]))
    return Found(journal, read, [*doubts(journal), *notes])


def once(files: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """The files without those that are byte for byte another one of them, and what was left out."""
    found, notes = dict[tuple[int, str], Path](), list[str]()
    sizes = Counter(path.stat().st_size for path in files if path.is_file())
    for path in files:
        size = path.stat().st_size if path.is_file() else 0
        same = digest(path) if sizes[size] > 1 else str(path)
        if (size, same) in found:
            notes.append(f"{path}: left out, it is the same as {found[size, same]}.")
        else:
            found[size, same] = path
    return list(found.values()), notes


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _why_not(files: Sequence[FileRead]) -> list[str]:
    """The reasons for which rows were not read, with their first lines."""
    return [line for name, _, problems in files for line in problems.lines(name)[:MOST_REASONS]]


def _parser(
    columns: Columns, zone: ZoneInfo, region: str | None, sending: Sending | None, usd: float | None
) -> Parser:
    if columns.source != ACCESS_LOG:
        return Parser(columns, zone, region, usd)
    if sending is None:
        raise PolicyError("the log", "numbers; an access log has none, and only replay reads it")
    return RequestParser(columns, zone, region, usd, sending=sending)


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its name. Raises `PolicyError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise PolicyError("--zone", "a time zone such as Europe/Berlin", name) from None


def _those_of(named: dict[str, str], header: Sequence[str]) -> dict[str, str]:
    """Of several files, each has some of the columns."""
    return {meaning: column for meaning, column in named.items() if column in header}
