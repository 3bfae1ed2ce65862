"""All entries in the order of their times, in a file: logs may be larger than memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from pumpguard.attempt import LineType, Phone
from pumpguard.errors import PolicyError
from pumpguard.intake.phone import canonical
from pumpguard.replay.columns import OWN, Columns
from pumpguard.replay.entry import Entry, Outcome, Parser
from pumpguard.replay.own_events import own_entries
from pumpguard.replay.problems import NO_ROWS
from pumpguard.replay.read import Row, Table

ANSWERED_WITHIN = 3_600
"""Seconds in which a code is entered for a message, or it is for none."""

BATCH = 5_000
"""Entries. Their numbers are still remembered as they were read (`pumpguard.intake.phone`)."""

ORDER = "at, (event IS NULL AND verification)"
"""Of one time, codes come after messages. Our own events are in the order of their file."""

READ = "at, phone, address, session, price, sent, verification, event, outcome, kind, file, id"
"""The columns of what was read."""

SAME_ID = """
DELETE FROM entries WHERE rowid IN (SELECT place FROM (
    SELECT rowid AS place,
        row_number() OVER (PARTITION BY id, verification ORDER BY rowid DESC) AS n
    FROM entries WHERE id IS NOT NULL) WHERE n > 1)
"""
"""The provider's own id says that it is the same. The last one stands: it may know more."""

ALIKE = "at, phone, address, session, verification, event, outcome"
IN_SEVERAL_FILES = f"""
DELETE FROM entries WHERE rowid IN (SELECT place FROM (
    SELECT place, row_number() OVER (PARTITION BY {ALIKE}, nth ORDER BY file DESC) AS n FROM (
        SELECT rowid AS place, file, {ALIKE},
            row_number() OVER (PARTITION BY {ALIKE}, file ORDER BY rowid) AS nth
        FROM entries WHERE id IS NULL AND phone <> '')) WHERE n > 1)
"""  # noqa: S608 - constants
"""Without an id, what is alike in two files is the same, and what is alike in one file is not: it
counts as often as in the file that has it most often. Requests of access logs have no number, and
several servers may well write the same line in one second."""

COUNTS = """
SELECT total(verification), total(NOT verification AND outcome IS NULL), total(phone = ''),
    count(price), total(event <> ''), count(address), count(session), min(at), max(at) FROM entries
"""


Kind: TypeAlias = tuple[str | None, int, LineType, bool]
"""What a `Phone` says of its number. There are some hundred, and finding one out takes longer than
most of what is done with it."""


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
    event: str | None = None
    outcome: Outcome | None = None
    kind: Kind | None = None

    @property
    def whose(self) -> Phone:
        """Its number, with what the journal has noted of it."""
        return canonical(self.phone) if self.kind is None else Phone(self.phone, *self.kind)


class Journal:
    """Entries of several files, joined by number and time. They are kept in a file that goes away
    with it, or in a database that was copied from another one, which had such ``counts``."""

    def __init__(
        self, sql: sqlite3.Connection | None = None, counts: Mapping[str, Any] | None = None
    ) -> None:
        self._sql = sqlite3.connect("") if sql is None else sql
        for statement in (
            "PRAGMA journal_mode=OFF", "PRAGMA synchronous=OFF", "PRAGMA cache_size=-16384",
            "CREATE TABLE IF NOT EXISTS entries (at REAL, phone TEXT, address TEXT, session TEXT, "
            "price REAL, sent INTEGER, verification INTEGER, event TEXT, outcome TEXT, "
            "kind INTEGER, file INTEGER, id TEXT, verified INTEGER DEFAULT 0)",
        ):  # fmt: skip
            self._sql.execute(statement)
        self.files = 0
        self.same_id = self.in_several_files = 0
        """Entries that were left out, because they had been read already."""
        self.with_addresses = self.with_sessions = self.verifications = self.messages = 0
        self.of_requests = self.priced = 0
        """Requests of access logs, which have no number; messages of which the price is known."""
        self.first, self.last = float("inf"), float("-inf")
        self.events, self.versions, self.asks = 0, set[str](), False
        """Decisions of our own, by policies of which versions, and whether anybody gave proof."""
        self.kinds = list[Kind]()
        self._place_of: dict[Kind, int] = {}
        for name, value in (counts or {}).items():
            setattr(self, name, set(value) if name == "versions" else value)

    def counts(self) -> dict[str, Any]:
        """What is known of all entries, ready for JSON."""
        return {
            name: sorted(value) if name == "versions" else value
            for name, value in vars(self).items()
            if not name.startswith("_")
        }

    def copy_to(self, sql: sqlite3.Connection) -> None:
        """All entries into another database, which has none."""
        self._sql.commit()
        self._sql.backup(sql)

    def add(
        self,
        table: Table,
        columns: Columns,
        parser: Parser,
        watch: Callable[[int], object] = lambda more: None,
    ) -> None:
        """All rows of a file; what cannot be read is noted in its ``problems``. ``watch`` hears how
        many bytes more were read."""
        batch: list[Entry] = []
        own, name, line = columns.source == OWN, table.path.name, 0
        self.files += 1
        for line, row in table.rows():
            try:
                if own:
                    self._note(row)
                batch.extend(own_entries(row, name) if own else parser.entries(row))
            except PolicyError:
                raise
            except ValueError as error:
                table.problems.add(line, str(error))
            if len(batch) >= BATCH:
                self._insert(batch)
                batch = []
            if line % BATCH == 0:
                watch(table.taken())
        self._insert(batch)
        watch(table.taken())
        if not line and not table.problems.counts:
            table.problems.add(0, NO_ROWS)

    def close_books(self) -> None:
        """Leave out what was read twice, sort, and find out for which messages a code was entered:
        those to its number in the hour before it, of which one brought it."""
        self.same_id = self._sql.execute(SAME_ID).rowcount
        if self.files > 1:
            self.in_several_files = self._sql.execute(IN_SEVERAL_FILES).rowcount
        self._count()
        self._sql.execute("CREATE INDEX by_phone ON entries (phone, at)")
        self._sql.execute(
            "UPDATE entries SET verified = 1 WHERE verification = 0 AND outcome IS NULL "
            "AND EXISTS (SELECT 1 FROM "
            "entries v WHERE v.verification = 1 AND v.phone = entries.phone "
            "AND v.at BETWEEN entries.at AND entries.at + ?)",
            (ANSWERED_WITHIN,),
        )
        self._sql.execute(f"CREATE INDEX by_time ON entries ({ORDER})")

    def codes_without_message(self) -> int:
        """Codes to whose number no message went in the hour before; after `close_books`."""
        ((lost,),) = self._sql.execute(
            "SELECT count(*) FROM entries v WHERE v.verification = 1 AND NOT EXISTS (SELECT 1 FROM "
            "entries m WHERE m.verification = 0 AND m.outcome IS NULL AND m.phone = v.phone "
            "AND m.at BETWEEN v.at - ? AND v.at)",
            (ANSWERED_WITHIN,),
        )
        return int(lost)

    def addresses(self) -> Iterator[str]:
        """Each once, as they are found."""
        found = self._sql.execute("SELECT DISTINCT address FROM entries WHERE address IS NOT NULL")
        return (address for (address,) in found)

    def __iter__(self) -> Iterator[Played]:
        return (each for each in self.whole() if each.outcome is None)

    def whole(self) -> Iterator[Played]:
        """With the messages of our own that failed, which have no number in the order."""
        number = 0
        for row in self._sql.execute(f"SELECT * FROM entries ORDER BY {ORDER}, rowid"):  # noqa: S608 - a constant
            at, phone, address, session, price, sent, coded, event, outcome, kind, _, _, done = row
            yield Played(number, at, phone, address, session, price, bool(sent), bool(coded),
                         bool(done), event, outcome,
                         None if kind is None else self.kinds[kind])  # fmt: skip
            number += outcome is None

    @property
    def tells_attacks(self) -> bool:
        """Whether attackers can be told from users, which is by the codes that were entered."""
        return self.verifications > 0

    def __len__(self) -> int:
        return self.messages + self.verifications

    def close(self) -> None:
        self._sql.close()

    def _note(self, row: Row) -> None:
        if row.get("event_dataset") == "pumpguard.decision":
            self.versions.add(row.get("rule_version", ""))
            self.asks |= row.get("pumpguard_attempt_proved") == "true"

    def _insert(self, batch: list[Entry]) -> None:
        self._sql.executemany(
            f"INSERT INTO entries ({READ}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            [
                (e.at, e.phone, e.address, e.session, e.price, e.sent, e.is_verification, e.event,
                 e.outcome, self._kind(e.phone), self.files, e.id)
                for e in batch
            ],
        )  # fmt: skip

    def _count(self) -> None:
        *counts, first, last = self._sql.execute(COUNTS).fetchone()
        (self.verifications, self.messages, self.of_requests, self.priced, self.events,
         self.with_addresses, self.with_sessions) = map(int, counts)  # fmt: skip
        if last is not None:
            self.first, self.last = first, last

    def _kind(self, number: str) -> int | None:
        """Its place among all kinds; a request of an access log has no number."""
        if not number:
            return None
        phone = canonical(number)
        kind = phone.region, phone.calling_code, phone.line_type, phone.valid
        place = self._place_of.setdefault(kind, len(self.kinds))
        if place == len(self.kinds):
            self.kinds.append(kind)
        return place
