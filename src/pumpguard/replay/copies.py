"""Events that stand in several files: what is alike in two exports is one event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from pumpguard.replay.read import Row
from pumpguard.replay.words import counted


class Copies:
    """Leaves out what another file has had. Of rows that are alike in one file each is an event of
    its own, so they count as often as in the file that has them most often. Holds 8 bytes of each
    row in memory."""

    def __init__(self) -> None:
        self._most = Counter[bytes]()
        self.left_out = 0

    def new(self, rows: Iterable[tuple[int, Row]]) -> Iterator[tuple[int, Row]]:
        """The rows of a file that no file before it had."""
        here = Counter[bytes]()
        for line, row in rows:
            facts = repr(sorted(row.items())).encode(errors="surrogatepass")
            known = blake2b(facts, digest_size=8).digest()
            here[known] += 1
            if here[known] > self._most[known]:
                self._most[known] = here[known]
                yield line, row
            else:
                self.left_out += 1

    def told(self) -> list[str]:
        """What was left out, and why."""
        if not self.left_out:
            return []
        return [f"In more than one file, and counted once: {counted(self.left_out, 'event')}."]
