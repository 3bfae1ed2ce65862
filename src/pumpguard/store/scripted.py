"""What every store does that runs the Lua scripts, wherever it runs them."""

from __future__ import annotations

import struct
from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple, TypeAlias

from pumpguard.counters import identity
from pumpguard.store.asking import decode, encode, fed, refused, short_id
from pumpguard.store.base import Answer, Question, Redeemed, Redemption, Settlement, Subject
from pumpguard.store.encoding import (
    REDEEM,
    SETTLE,
    Script,
    decide_script,
    facts,
    outcome,
    redeemed,
    redemption_facts,
)
from pumpguard.store.overrides import VERSION, OverrideStore
from pumpguard.store.plan import Plan
from pumpguard.store.sharding import shard_of, spread

SETTLED_AT_ONCE = 16
"""Outcomes per script call."""

Word: TypeAlias = bytes | str | int | float
"""An argument of a script, which sees its text."""


class Call(NamedTuple):
    """A script to run in a shard, with its KEYS and ARGV. ``at`` is the time in Unix seconds, or
    ``None`` for the store's own clock."""

    shard: int
    script: Script
    keys: list[str]
    arguments: list[Word]
    at: float | None


class ScriptStore(ABC):
    """Counters that the scripts keep under one key per subject.

    ``prefixes`` has what the keys of each shard begin with; ``secret`` keys the hashes under which
    phones and networks are stored.
    """

    overrides: OverrideStore

    def __init__(self, prefixes: Sequence[str], secret: str = "") -> None:
        self._prefixes = prefixes
        key = blake2b(secret.encode(), digest_size=32).digest()
        self._hash = blake2b(digest_size=10, key=key)

    @abstractmethod
    async def run(self, call: Call) -> Any:
        """The script's reply, as Redis would give it. Raises `StoreError`."""

    async def decide(self, question: Question) -> Answer:
        """Ask in one call. Raises `StoreError`."""
        plan, call = self._asked(question)
        return answered(question, plan, await self.run(call))

    async def redeem(self, redemption: Redemption) -> Redeemed:
        """Take a number's open tickets in one call. Raises `StoreError`."""
        known, tickets, at = redemption.known, redemption.tickets, redemption.at
        said = redemption_facts(redemption, short_id(identity(known)), short_id(identity(tickets)))
        shard = self._shard(redemption.destination)
        key = self._prefixes[shard] + self._digest(known.by, redemption.phone).hex()
        return redeemed(await self.run(Call(shard, REDEEM, [key], [_ms(at), said], at)))

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        """Apply outcomes, up to 16 of one shard per call. Raises `StoreError`."""
        by_shard: dict[int, list[Settlement]] = {}
        applied = 0
        for settlement in settlements:
            if not settlement.plan.groups:  # nobody has to know
                applied += settlement.outcome != "failed"
                continue
            by_shard.setdefault(self._shard(settlement.destination), []).append(settlement)
        for shard, mine in by_shard.items():
            for first in range(0, len(mine), SETTLED_AT_ONCE):
                call = self._told(shard, mine[first : first + SETTLED_AT_ONCE])
                applied += int(await self.run(call))
        return applied

    def keys(self, question: Question) -> list[str]:
        """One key per subject: the prefix and a keyed hash."""
        prefix, keys = self._prefixes[self._shard(question.destination)], []
        for by, subject in zip(question.plan.groups, question.subjects, strict=True):
            hashed = self._hash.copy()
            # A dimension has no NUL, so no two pairs run together.
            hashed.update(f"{by}\0{subject}".encode("utf-8", "surrogatepass"))
            keys.append(prefix + hashed.hexdigest())
        return keys

    def _shard(self, destination: str) -> int:
        shards = len(self._prefixes)
        return shard_of(destination, shards) if shards > 1 else 0

    def _part(self, plan: Plan) -> Plan:
        """The plan as one shard applies it."""
        shards = len(self._prefixes)
        return spread(plan, shards) if shards > 1 else plan

    def _digest(self, by: str, subject: Subject) -> bytes:
        """What keys are made of; a ticket remembers it instead of the subject."""
        if isinstance(subject, bytes):
            return subject
        hashed = self._hash.copy()
        hashed.update(f"{by}\0{subject}".encode("utf-8", "surrogatepass"))
        return hashed.digest()

    def _asked(self, question: Question) -> tuple[Plan, Call]:
        shard, plan = self._shard(question.destination), self._part(question.plan)
        keys = self.keys(question)
        arguments = self._arguments(question, plan, keys)
        keys.append(self._prefixes[shard] + VERSION)
        script = decide_script(plan.kinds, plan.in_slices)
        return plan, Call(shard, script, keys, arguments, question.at)

    def _arguments(self, question: Question, plan: Plan, keys: list[str]) -> list[Word]:
        words: list[Word] = [
            _ms(question.at),
            refused(question, plan),
            question.jitter,
            encode(plan),
            question.place,
            b"".join([self._member(question.members[i]) for i in plan.member_order]),
            fed(plan, question.refused_by) if question.refused_by else b"",
            facts(question, keys) if plan.settled else b"",
            question.overrides_version,
        ]
        if plan.weights:
            words.append(struct.pack(">dd", question.score, question.bound))
        return words

    def _member(self, member: str) -> bytes:
        hashed = self._hash.copy()
        hashed.update(member.encode("utf-8", "surrogatepass"))
        return hashed.digest()[:4]

    def _told(self, shard: int, settlements: Sequence[Settlement]) -> Call:
        keys: list[str] = []
        arguments: list[Word] = []
        for each in settlements:
            for by, subject in zip(each.plan.groups, each.subjects, strict=True):
                keys.append(self._prefixes[shard] + self._digest(by, subject).hex())
            network = self._digest("network", each.network)[:2] if each.network else bytes(2)
            arguments += encode(self._part(each.plan)), outcome(each, network)
        return Call(shard, SETTLE, keys, arguments, settlements[0].at)


def answered(question: Question, plan: Plan, reply: list[int]) -> Answer:
    """What ``decide.lua`` says to a question."""
    answer = decode(plan, reply)
    if answer.admitted and plan.writes_tickets:
        answer.ticket = question.ticket
    return answer


def _ms(at: float | None) -> int:
    """A stated time for a script: 0 for none."""
    return 0 if at is None else int(at * 1000)
