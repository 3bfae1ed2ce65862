"""A question as ``decide.lua`` reads it, and its reply as an answer."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from pumpguard.counters import Ban, Counter, Mix, Reading, Spend, Spike, Trie, Trust
from pumpguard.decision import Action
from pumpguard.store.base import Answer, Question
from pumpguard.store.encoding import (
    kind,
    six,
    tail,
)
from pumpguard.store.plan import Plan, Weight, counts_attempts, feeds, strikes

BINDS, ATTEMPTS = 1, 2
REPORTS, WEIGHS = 1, 2
HIDDEN = 128
ADMITTED, KNOWN, OUTDATED = 1, 2, -1
REFUSED, UNLESS_KNOWN = 1, 2
NOTHING: Mapping[int, Reading] = {}


@lru_cache(maxsize=1024)
def encode(plan: Plan) -> bytes:
    """A plan as ``decide.lua`` reads it. Raises `ValueError` in the one case in millions where two
    counters of a subject cannot be told apart; rename a rule."""
    places = plan.order
    flags = (REPORTS if plan.reports else 0) | (WEIGHS if plan.weights else 0)
    encoded = [bytes([flags, len(plan.binding_bans)])]
    for i in plan.binding_bans:
        hidden = HIDDEN if plan.counters[i].action is Action.SHADOW else 0
        group = plan.group_of[i] + hidden
        encoded.append(bytes([places.index(i), group]) + short_id(plan.identities[i]))
    for together in plan.grouped:
        ids = [short_id(plan.identities[i]) for i in together]
        if len(set(ids)) != len(ids) - _shared(plan, together):
            raise ValueError("two counters of one subject have the same id: rename a rule")
        encoded.append(bytes([len(together)]))
        encoded += [_spec(plan, i, each) for i, each in zip(together, ids, strict=True)]
    if plan.weights:
        encoded.append(bytes([len(plan.weights)]))
        encoded += [_weight(plan, weight) for weight in plan.weights]
    return b"".join(encoded)


def _shared(plan: Plan, group: Sequence[int]) -> int:
    """How many counters are another look at a sum that is there already."""
    sums = [plan.identities[i] for i in group if isinstance(plan.counters[i], Spend)]
    return len(sums) - len(set(sums))


def short_id(identity: str) -> bytes:
    """What tells a counter from the others in its subject's value."""
    return blake2b(identity.encode(), digest_size=3).digest()


def _spec(plan: Plan, i: int, each: bytes) -> bytes:
    counter = plan.counters[i]
    flags = (BINDS if plan.binds[i] else 0) | (ATTEMPTS if counts_attempts(counter) else 0)
    limit = _limit(counter)
    span = getattr(counter, "seconds", 0) * 1000
    head = kind(counter) + bytes([flags]) + each + six(limit) + six(span)
    return head + (_ban_tail(plan, counter) if isinstance(counter, Ban) else tail(counter))


def _limit(counter: Counter) -> int:
    match counter:
        case Ban():
            return counter.strikes
        case Trie() | Mix() | Spike():
            return counter.minimum
        case Trust():
            return counter.gain
    return getattr(counter, "limit", 0)


def _ban_tail(plan: Plan, ban: Ban) -> bytes:
    feeders = bytes(place for place, i in enumerate(plan.order) if strikes(ban, plan.counters[i]))
    shape = struct.pack(">IIIdd", ban.base, ban.cap, ban.memory, ban.factor, ban.jitter)
    return shape + bytes([ban.most, len(feeders)]) + feeders


def refused(question: Question, plan: Plan) -> int:
    """Whether the request is refused already, or will be unless the number is known."""
    if question.refused or (not plan.weights and question.score >= question.bound):
        return REFUSED
    return UNLESS_KNOWN if question.known_only else 0


def _weight(plan: Plan, weight: Weight) -> bytes:
    places = bytes(plan.order.index(i) for i in weight.places)
    return struct.pack(">dB", weight.factor, len(places)) + places


def fed(plan: Plan, refused_by: frozenset[str]) -> bytes:
    """The bans to which rules that spoke before the store gave a strike."""
    return bytes(
        place
        for place, i in enumerate(plan.order)
        if isinstance(ban := plan.counters[i], Ban) and feeds(ban, refused_by)
    )


def decode(plan: Plan, reply: list[int]) -> Answer:
    """The script's reply as an answer."""
    flags, now = reply[0], reply[1] / 1000
    if flags == OUTDATED:
        return Answer(False, NOTHING, now, outdated=True)
    admitted, known = bool(flags & ADMITTED), bool(flags & KNOWN)
    if len(reply) == 2:
        return Answer(admitted, NOTHING, now, known)
    places = plan.order
    readings = {}
    i = 0
    for index, used, wait in zip(reply[2::3], reply[3::3], reply[4::3], strict=True):
        if index >= 0:
            i = places[index]
            readings[i] = Reading(used, wait / 1000)
        else:  # more about the one before
            readings[i] = replace(readings[i], detail=(used, wait))
    return Answer(admitted, readings, now, known)
