"""A replay that was stopped, in one file: the journal, and how far it has come.

It is the journal's own database with more tables. It holds numbers and addresses as the logs have
them, so only its owner may read it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from pumpguard.errors import PolicyError
from pumpguard.replay.columns import Columns
from pumpguard.replay.journal import Journal
from pumpguard.replay.last_sent import LastSent
from pumpguard.replay.logs import FileRead, Found
from pumpguard.replay.play import Run
from pumpguard.replay.play_store import TABLES
from pumpguard.replay.problems import Problems
from pumpguard.replay.tally import Tally

KIND = "a stopped replay of pumpguard, 3"
"""Stands in every such file; another number if it is written otherwise."""


def save(path: Path, command: str, found: Found, run: Run) -> None:
    """Write it all. ``command`` tells what was asked for, so that only that goes on."""
    delays = run.delays
    facts = {
        "kind": KIND,
        "command": command,
        "journal": run.journal.counts(),
        "notes": found.notes,
        "files": [
            [each.name, dict(each.columns.by), each.columns.source, each.problems.counts,
             each.problems.examples]
            for each in found.files
        ],
        "done": run.done,
        "now": run.now,
        "tally": run.tally.saved(),
        "sent": run.sent.saved(),
        "delays": [delays.matures_after, delays.counts, delays.total],
    }  # fmt: skip
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with closing(sqlite3.connect(new)) as sql, sql:
        run.journal.copy_to(sql)  # and, if it had been stopped before, what was written then
        for table in ("facts", *TABLES):
            sql.execute(f"DROP TABLE IF EXISTS {table}")
        run.store.save(sql)
        sql.execute("CREATE TABLE facts (text TEXT)")
        sql.execute("INSERT INTO facts VALUES (?)", (json.dumps(facts),))
    new.replace(path)


class Stopped:
    """A file as it was saved. Raises `PolicyError` for one that was not, or by another
    ``command``: other files, another policy, other options."""

    def __init__(self, path: Path, command: str) -> None:
        if not path.is_file():
            raise PolicyError("--resume", "the file of a replay that was stopped", str(path))
        self._sql = sqlite3.connect(path)
        try:
            ((text,),) = self._sql.execute("SELECT text FROM facts")
            self._facts: dict[str, Any] = json.loads(text)
        except (sqlite3.Error, ValueError):
            self._facts = {}
        if self._facts.get("kind") != KIND:
            expected = "the file of a replay that was stopped, by this version of pumpguard"
            raise PolicyError("--resume", expected, str(path))
        if self._facts["command"] != command:
            expected = "the same files, policy and options as when it was stopped"
            raise PolicyError("--resume", expected, str(path))
        files = [
            FileRead(
                name,
                Columns(by, source),
                Problems(Counter(counts), [(line, why) for line, why in examples]),
            )
            for name, by, source, counts, examples in self._facts["files"]
        ]
        journal = Journal(self._sql, self._facts["journal"])
        self.found = Found(journal, files, self._facts["notes"])

    def restore(self, run: Run) -> None:
        """Put a new run where it was."""
        facts = self._facts
        run.done, run.now = facts["done"], facts["now"]
        run.tally = Tally.restored(run.policy, facts["tally"])
        run.sent = LastSent.restored(facts["sent"])
        run.delays.matures_after, run.delays.counts, run.delays.total = facts["delays"]
        run.store.restore(self._sql)
