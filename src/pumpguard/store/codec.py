"""What travels between stores and their scripts: questions, outcomes and answers, as bytes."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from pumpguard.counters import Known, Reading, Tickets
from pumpguard.counters.base import Segment
from pumpguard.counters.plan import Plan, Weight
from pumpguard.counters.tickets import FIXED, KEY_HASH
from pumpguard.decision import Action
from pumpguard.store.base import Answer, Open, Question, Redeemed, Settlement
from pumpguard.store.scripts import Word, letter

BINDS, ATTEMPTS = 1, 2
"""Flags of a counter."""
REPORTS, WEIGHS, PROVED = 1, 2, 4
"""Flags of a plan."""
SHADOW = 128
"""Added to the group of a ban that its subject is not to know of."""
REFUSED, UNLESS_KNOWN = 1, 2
ADMITTED, KNOWN, OUTDATED = 1, 2, -1

NO_READINGS: Mapping[int, Reading] = {}
NO_SUBJECT = bytes(KEY_HASH)
"""What a ticket remembers where there is no subject."""
LATEST = 65_535
"""Tenths of a second; who verifies later counts as if by then."""


def ask(question: Question, plan: Plan, hashes: Sequence[str], members: bytes) -> list[Word]:
    """The arguments of ``decide.lua``; ``hashes`` end in those of the subjects, ``members`` has 4
    bytes for each value that is counted."""
    refused = UNLESS_KNOWN if question.known_only else 0
    if question.refused or (not plan.weights and question.score >= question.bound):
        refused = REFUSED
    facts = b""
    if plan.settled:
        facts = question.price.to_bytes(6) + (question.matures_after or 0).to_bytes(4)
        facts += question.ticket
        if question.ticket:
            for by in plan.remembered:
                at = plan.groups.index(by) if by in plan.groups else -1
                facts += NO_SUBJECT if at < 0 else bytes.fromhex(hashes[at][-2 * KEY_HASH :])
    words: list[Word] = [
        0 if question.at is None else int(question.at * 1000),
        refused,
        question.jitter,
        encode(plan),
        question.last4,
        members,
        _struck(plan, question.refused_by) if question.refused_by else b"",
        facts,
        question.overrides_version,
    ]
    if plan.weights:
        words.append(struct.pack(">dd", question.score, question.bound))
    return words


def answer(question: Question, plan: Plan, reply: list[int]) -> Answer:
    """What ``decide.lua`` says to a question."""
    flags, now = reply[0], reply[1] / 1000
    if flags == OUTDATED:
        return Answer(False, NO_READINGS, now, outdated=True)
    admitted, known = bool(flags & ADMITTED), bool(flags & KNOWN)
    ticket = question.ticket if admitted and plan.writes_tickets else b""
    if len(reply) == 2:
        return Answer(admitted, NO_READINGS, now, known, ticket)
    readings = {}
    i = 0
    for index, used, wait in zip(reply[2::3], reply[3::3], reply[4::3], strict=True):
        if index >= 0:
            i = plan.order[index]
            readings[i] = Reading(used, wait / 1000)
        else:  # more about the one before
            readings[i] = replace(readings[i], detail=(used, wait))
    return Answer(admitted, readings, now, known, ticket)


@lru_cache(maxsize=1024)
def encode(plan: Plan) -> bytes:
    """A plan as the scripts read it (``common.lua``). Raises `ValueError` in the one case in
    millions where two counters of a subject cannot be told apart; rename a rule."""
    flags = (REPORTS if plan.reports else 0) | (WEIGHS if plan.weights else 0)
    flags |= PROVED if plan.proved else 0
    groups = sorted({plan.group_of[i] + 1 for i in plan.binding_bans})
    encoded = [bytes([flags, len(groups), len(plan.binding_bans), *groups])]
    for i in plan.binding_bans:
        shadow = SHADOW if plan.counters[i].action is Action.SHADOW else 0
        group = plan.group_of[i] + 1 + shadow
        encoded.append(bytes([plan.order.index(i), group]) + short_id(plan.identities[i]))
    for segments in plan.segments:
        _check(plan, [i for counters in segments for i in counters])
        encoded.append(bytes([len(segments)]))
        encoded += [segment(plan, counters, _flags(plan, counters[0])) for counters in segments]
    if plan.weights:
        encoded.append(bytes([len(plan.weights)]))
        encoded += [_weight(plan, weight) for weight in plan.weights]
    return b"".join(encoded)


def short_id(identity: str) -> bytes:
    """What tells a counter from the others in its subject's value."""
    return blake2b(identity.encode(), digest_size=3).digest()


def redemption(
    at: float | None, known: Known, tickets: Tickets, *, only_open: bool = False
) -> list[Word]:
    """The arguments of ``redeem.lua``."""
    ids = short_id(known.identity()), short_id(tickets.identity())
    packed = ids[0] + _six(known.span) + ids[1] + _six(tickets.span)
    packed += bytes([tickets.size, known.clients])
    return [0 if at is None else int(at * 1000), packed, int(only_open)]


def redeemed(reply: list[Any]) -> Redeemed:
    """What ``redeem.lua`` says."""
    counts, now, *stored = reply
    return Redeemed(bool(counts), now, tuple(_open(each) for each in stored))


def outcome(settlement: Settlement, network: bytes) -> bytes:
    """One outcome, as ``settle.lua`` reads it; ``network`` is a hash of 2 bytes."""
    return b"".join(
        (
            settlement.outcome[:1].encode(),
            _six(0 if settlement.at is None else int(settlement.at * 1000)),
            bytes([len(settlement.plan.groups)]),
            _six(settlement.price),
            _six(settlement.sent_at),
            struct.pack(">H", max(0, min(LATEST, settlement.age // 100))),
            network,
            struct.pack(">H", settlement.last4),
            settlement.ticket or bytes(4),
        )
    )


def _check(plan: Plan, group: Sequence[int]) -> None:
    """Counters that are no other look at what is there already must be told apart."""
    shared = {
        plan.identities[i]
        for i in group
        if plan.counters[i].shared or plan.counters[i].log is not None
    }
    alone = [plan.identities[i] for i in group if plan.identities[i] not in shared]
    if len({short_id(each) for each in (*alone, *shared)}) != len(alone) + len(shared):
        raise ValueError("two counters of one subject have the same id: rename a rule")


def segment(plan: Plan, indexes: Sequence[int], flags: int) -> bytes:
    """Counters that are read together, mostly one, as the scripts read them. The limit is the least
    of theirs."""
    told = Segment(
        [plan.counters[i] for i in indexes],
        [plan.binds[i] for i in indexes],
        [plan.counters[i] for i in plan.order],
    )
    i, counter = indexes[0], told.counters[0]
    head = letter(type(counter)).encode() + bytes([flags]) + short_id(plan.identities[i])
    limit = min(each.limit_on_the_wire for each in told.counters)
    return head + _six(limit) + _six(plan.spans[i]) + counter.tail(told)


def _flags(plan: Plan, i: int) -> int:
    counts_attempts = plan.counters[i].counts_attempts
    return (BINDS if plan.binds[i] else 0) | (ATTEMPTS if counts_attempts else 0)


def _weight(plan: Plan, weight: Weight) -> bytes:
    places = bytes(plan.order.index(i) for i in weight.places)
    return struct.pack(">dB", weight.factor, len(places)) + places


def _struck(plan: Plan, refused_by: frozenset[str]) -> bytes:
    """The bans to which rules that spoke before the store gave a strike."""
    return bytes(
        place
        for place, i in enumerate(plan.order)
        if not plan.counters[i].fed_by_rules.isdisjoint(refused_by)
    )


def _open(stored: bytes) -> Open:
    hashes = [stored[at : at + KEY_HASH] for at in range(FIXED, len(stored), KEY_HASH)]
    return Open(
        stored[:4],
        int.from_bytes(stored[4:10]),
        int.from_bytes(stored[10:16]),
        tuple(None if each == NO_SUBJECT else each for each in hashes),
    )


def _six(number: int) -> bytes:
    """A time, a span or money."""
    return number.to_bytes(6)
