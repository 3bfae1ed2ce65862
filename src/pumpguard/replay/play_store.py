"""The store of a replay: that of one process, which can be written to a file and read again."""

from __future__ import annotations

import sqlite3

from pumpguard.store.base import Answer, Question
from pumpguard.store.memory import MemoryStore

TABLES = "places", "struck", "needed"
"""Those that it writes."""


class PlayStore(MemoryStore):
    """Its places in the order in which they are looked at, so that it goes on as it would have.
    One question at a time is asked of it, and none has to wait in a line."""

    async def decide(self, question: Question) -> Answer:
        return self.decide_now(question)

    def save(self, sql: sqlite3.Connection) -> None:
        """Write all of it into tables of its own."""
        sql.execute("CREATE TABLE places (key BLOB, value BLOB)")
        sql.execute("CREATE TABLE struck (key BLOB)")
        sql.executemany(
            "INSERT INTO places VALUES (?, ?)", ((key, self._kept.get(key)) for key in self._queue)
        )
        sql.executemany("INSERT INTO struck VALUES (?)", ((key,) for key in self._struck))
        sql.execute("CREATE TABLE needed (most INTEGER)")
        sql.execute("INSERT INTO needed VALUES (?)", (self._most,))

    def restore(self, sql: sqlite3.Connection) -> None:
        """Read it into this one, which is new."""
        for key, value in sql.execute("SELECT key, value FROM places ORDER BY rowid"):
            self._queue.append(key)
            if value is None:
                self._gone.add(key)
            else:
                self._kept[key] = value
        self._struck.update((key, None) for (key,) in sql.execute("SELECT key FROM struck"))
        ((self._most,),) = sql.execute("SELECT most FROM needed")
