"""A store that people can look into: what it would say, where bans are and how they go, and what
the fleet has seen. No request needs any of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha1

from pumpguard.counters import Counter
from pumpguard.store import codec
from pumpguard.store.base import Answer, Question
from pumpguard.store.fleet import FleetStore
from pumpguard.store.scripted import ScriptStore, shard_of
from pumpguard.store.scripts import Call, Script, Word, decide_script, script

WRITES = "\nlocal function value_write("
"""How ``common.lua`` begins what writes a value."""

LIFT = script("common", "lift")


class InspectedStore(ScriptStore):
    """A subclass sets ``fleet`` and ``watch`` as well: what the fleet has seen, for people, and
    what it has refused, for the watch for attacks."""

    fleet: FleetStore
    watch: FleetStore

    async def peek(self, question: Question) -> Answer:
        """What `decide` would read, and nothing is charged, written, struck or begun."""
        shard = shard_of(question.calling_code, self._shards)
        plan, call = self._decide_call(question, shard)
        call = call._replace(script=peek_script(plan.kinds, plan.parts))
        return codec.answer(question, plan, await self.runs[shard](call))

    def place(self, by: str, subject: str, calling_code: str) -> tuple[int, str]:
        """Where a subject's counters live: the shard, and what its key ends in."""
        shard = shard_of(calling_code, self._shards)
        return shard, self._digest(by, subject).hex()

    async def lift(
        self, shard: int, place: str, identities: Sequence[str], at: float | None = None
    ) -> int:
        """Take bans off a subject (`place`), with their strikes and levels; ``identities`` are
        those of their counters, ``at`` is as in a question. Returns how many stood, or had
        strikes. Raises `StoreError`."""
        words: list[Word] = [0 if at is None else int(at * 1000)]
        words.append(b"".join(map(codec.short_id, identities)))
        return int(await self.runs[shard](Call(LIFT, [self._prefixes[shard] + place], words, at)))

    async def aclose(self) -> None:
        """Let go of connections, if there are any."""


@cache
def peek_script(kinds: frozenset[type[Counter]], shared: frozenset[str]) -> Script:
    """The script that decides, whose writes go nowhere."""
    nowhere = f"\nlocal function value_write() end{WRITES.replace('value_write', 'value_written')}"
    decides = decide_script(kinds, shared)
    body, kept = (text.replace(WRITES, nowhere, 1) for text in (decides.body, decides.kept))
    return Script(sha1(body.encode(), usedforsecurity=False).hexdigest(), body, kept)
