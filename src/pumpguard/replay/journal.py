"""All entries in the order of their times, in a file: logs may be larger than memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from pumpguard.replay.columns import Columns
from pumpguard.replay.entry import Entry, Parser
from pumpguard.replay.read import Table

ANSWERED_WITHIN = 3_600
"""Seconds in which a code is entered for a message, or it is for none."""

BATCH = 10_000


class Played(NamedTuple):
    """An entry with its number in the order of time, and whether a code was entered for it."""

    number: int
    at: float
    phone: str
    address: str | None
    session: str | None
    price: float | None
    sent: bool
    is_verification: bool
    verified: bool


class Journal:
    """Entries of several files, joined by number and time. ``path`` is where they are kept while it
    is open, by default in a file that goes away with it."""

    def __init__(self, path: str | Path = "") -> None:
        self._sql = sqlite3.connect(str(path))
        for statement in (
            "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-65536",
            "CREATE TABLE entries (at REAL, phone TEXT, address TEXT, session TEXT, price REAL, "
            "sent INTEGER, verification INTEGER, verified INTEGER DEFAULT 0)",
        ):  # fmt: skip
            self._sql.execute(statement)
        self.with_addresses = self.with_sessions = self.verifications = self.messages = 0
        self.first, self.last = float("inf"), float("-inf")

    def add(self, table: Table, columns: Columns, parser: Parser) -> None:
        """All rows of a file; what cannot be read is noted in its ``problems``."""
        batch: list[Entry] = []
        for line, row in table.rows():
            try:
                batch.extend(parser.entries(row))
            except ValueError as error:
                table.problems.add(line, str(error))
            if len(batch) >= BATCH:
                self._insert(batch)
                batch = []
        self._insert(batch)

    def close_books(self) -> None:
        """Sort, and find out for which messages a code was entered: those to its number in the hour
        before it, of which one brought it."""
        self._sql.execute("CREATE INDEX by_phone ON entries (phone, at)")
        self._sql.execute(
            "UPDATE entries SET verified = 1 WHERE verification = 0 AND EXISTS (SELECT 1 FROM "
            "entries v WHERE v.verification = 1 AND v.phone = entries.phone "
            "AND v.at BETWEEN entries.at AND entries.at + ?)",
            (ANSWERED_WITHIN,),
        )
        self._sql.execute("CREATE INDEX by_time ON entries (at, verification)")

    def __iter__(self) -> Iterator[Played]:
        order = "SELECT * FROM entries ORDER BY at, verification, rowid"
        for number, row in enumerate(self._sql.execute(order)):
            at, phone, address, session, price, sent, verification, verified = row
            yield Played(number, at, phone, address, session, price, bool(sent),
                         bool(verification), bool(verified))  # fmt: skip

    def __len__(self) -> int:
        return self.messages + self.verifications

    def close(self) -> None:
        self._sql.close()

    def _insert(self, batch: list[Entry]) -> None:
        for each in batch:
            self.verifications += each.is_verification
            self.messages += not each.is_verification
            self.with_addresses += each.address is not None
            self.with_sessions += each.session is not None
            self.first, self.last = min(self.first, each.at), max(self.last, each.at)
        self._sql.executemany(
            "INSERT INTO entries (at, phone, address, session, price, sent, verification) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (e.at, e.phone, e.address, e.session, e.price, e.sent, e.is_verification)
                for e in batch
            ],
        )
