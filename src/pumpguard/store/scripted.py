"""What every store does that runs the Lua scripts, wherever it runs them.

Keys may be spread over several shards, by the destination's calling code. Everything about a
destination (phone, prefix, country) lives in that destination's shard and keeps its whole limit.
What does not belong to one destination (a network that asks for many countries) is counted in every
shard it asks for, each with its part of the limit. So the whole never admits more than the limits
say; it may admit less to a network whose requests are unevenly spread, and a ban holds in the shard
in which it was earned.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

from pumpguard.counters import Counter
from pumpguard.counters.plan import Plan
from pumpguard.store import codec, sealed
from pumpguard.store import refusals as refusals_codec
from pumpguard.store.base import (
    Answer,
    Question,
    Redeemed,
    Redemption,
    Refusal,
    Settlement,
    Subject,
)
from pumpguard.store.overrides import VERSION, OverrideStore
from pumpguard.store.refusals import Form, form
from pumpguard.store.scripts import (
    Call,
    Word,
    decide_script,
    note_script,
    redeem_script,
    refuse_script,
    settle_script,
)
from pumpguard.store.stream import EventStream

SETTLED_AT_ONCE = 16
"""Outcomes of one shard per script call."""

Run: TypeAlias = Callable[[Call], Awaitable[Any]]
"""The reply to a call, as Redis would give it. Raises `StoreError`."""


class ScriptStore:
    """Counters that the scripts keep under one key per subject.

    ``prefixes`` has what the keys of each shard begin with; ``secret`` keys the hashes under which
    phones and networks are stored. A subclass sets ``overrides`` and ``runs``, which has what runs
    a call in each shard.
    """

    overrides: OverrideStore
    stream: EventStream
    runs: Sequence[Run]

    def __init__(self, prefixes: Sequence[str], secret: str = "") -> None:
        self._prefixes, self._shards = prefixes, len(prefixes)
        key = blake2b(secret.encode(), digest_size=32).digest()
        self._hash = blake2b(digest_size=10, key=key)

    async def decide(self, question: Question) -> Answer:
        shard = shard_of(question.calling_code, self._shards)
        plan, call = self._decide_call(question, shard)
        return codec.answer(question, plan, await self.runs[shard](call))

    async def refuse(self, refusals: Sequence[Refusal]) -> Sequence[Answer | None]:
        shard = shard_of(refusals[0].question.calling_code, self._shards)
        forms: dict[Form, list[int]] = {}
        for i, each in enumerate(refusals):
            plan = spread(each.question.plan, self._shards)
            full, refused_by = frozenset(each.full), each.question.refused_by
            forms.setdefault(form(plan, full, refused_by), []).append(i)
        keys = [
            self._key(shard, refusals[i].question.plan.groups[g], refusals[i].question.subjects[g])
            for each, indexes in forms.items()
            for i in indexes
            for g in each.groups
        ]
        keys.append(self._prefixes[shard] + VERSION)
        kinds = frozenset[type[Counter]]().union(*(each.kinds for each in forms))
        parts = frozenset[str]().union(*(each.parts for each in forms))
        times = [each.question.at for each in refusals if each.question.at is not None]
        at = max(times, default=None)
        words = refusals_codec.words(at, refusals, forms)
        plans = tuple({spread(each.question.plan, self._shards) for each in refusals})
        reply = await self.runs[shard](Call(refuse_script(kinds, parts), keys, words, at, plans))
        return refusals_codec.answers(reply, refusals, forms)

    async def redeem(self, redemption: Redemption) -> Redeemed:
        known, at = redemption.known, redemption.at
        shard = shard_of(redemption.calling_code, self._shards)
        key = self._key(shard, known.by, redemption.phone)
        words = codec.redemption(at, known, redemption.tickets, only_open=redemption.only_open)
        return codec.redeemed(await self.runs[shard](Call(redeem_script(), [key], words, at)))

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        by_shard: dict[int, list[Settlement]] = {}
        applied = 0
        for settlement in settlements:
            if not settlement.plan.groups:  # nobody has to know
                applied += settlement.outcome != "failed"
                continue
            shard = shard_of(settlement.calling_code, self._shards)
            by_shard.setdefault(shard, []).append(settlement)
        for shard, batch in by_shard.items():
            for first in range(0, len(batch), SETTLED_AT_ONCE):
                call = self._settle_call(shard, batch[first : first + SETTLED_AT_ONCE])
                applied += int(await self.runs[shard](call))
        return applied

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        await self._note(name, at, 1000 * seconds, sealed.seal(self._digest("seal", name), text))

    async def recall(self, name: str, at: float | None = None) -> str | None:
        return sealed.opened(self._digest("seal", name), await self._note(name, at, 0, b""))

    def keys(self, question: Question) -> list[str]:
        """One key per subject: the prefix and a keyed hash."""
        prefix, keys = self._prefixes[shard_of(question.calling_code, self._shards)], []
        for by, subject in zip(question.plan.groups, question.subjects, strict=True):
            hashed = self._hash.copy()
            # A dimension has no NUL, so no two pairs run together.
            hashed.update(f"{by}\0{subject}".encode("utf-8", "surrogatepass"))
            keys.append(prefix + hashed.hexdigest())
        return keys

    def _key(self, shard: int, by: str, subject: Subject) -> str:
        return self._prefixes[shard] + self._digest(by, subject).hex()

    def _decide_call(self, question: Question, shard: int) -> tuple[Plan, Call]:
        """The plan as it is applied, and the call that asks."""
        plan = spread(question.plan, self._shards)
        members = b""
        for i in plan.member_order:
            hashed = self._hash.copy()
            hashed.update(question.members[i].encode("utf-8", "surrogatepass"))
            members += hashed.digest()[:4]
        keys = self.keys(question)
        words = codec.ask(question, plan, keys, members)
        keys.append(self._prefixes[shard] + VERSION)
        return plan, Call(decide_script(plan.kinds, plan.parts), keys, words, question.at, (plan,))

    async def _note(self, name: str, at: float | None, span: int, text: bytes) -> Any:
        shard = shard_of(name, self._shards)
        key = self._prefixes[shard] + self._digest("note", name).hex()
        words: list[Word] = [0 if at is None else int(at * 1000), span, text]
        return await self.runs[shard](Call(note_script(), [key], words, at))

    def _digest(self, by: str, subject: Subject) -> bytes:
        """What keys are made of; a ticket remembers it instead of the subject."""
        if isinstance(subject, bytes):
            return subject
        hashed = self._hash.copy()
        hashed.update(f"{by}\0{subject}".encode("utf-8", "surrogatepass"))
        return hashed.digest()

    def _settle_call(self, shard: int, settlements: Sequence[Settlement]) -> Call:
        keys: list[str] = []
        words: list[Word] = []
        for each in settlements:
            for by, subject in zip(each.plan.groups, each.subjects, strict=True):
                keys.append(self._key(shard, by, subject))
            network = self._digest("network", each.network)[:2] if each.network else bytes(2)
            words += codec.encode(spread(each.plan, self._shards)), codec.outcome(each, network)
        return Call(settle_script(), keys, words, settlements[0].at)


@lru_cache(maxsize=1024)
def shard_of(calling_code: str, shards: int) -> int:
    """The shard of a destination, the same in every process."""
    digest = blake2b(calling_code.encode(), digest_size=4).digest()
    return int.from_bytes(digest) % shards


@lru_cache(maxsize=1024)
def spread(plan: Plan, shards: int) -> Plan:
    """The plan as each shard applies it."""
    if shards == 1:
        return plan
    counters = [c if c.has_destination else c.divided(shards) for c in plan.counters]
    return Plan(counters, plan.binds, plan.reports, plan.weights, plan.proved)
