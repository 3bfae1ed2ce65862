"""A question as ``decide.lua`` reads it, and its reply as an answer."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b

from pumpguard.counters import (
    Ban,
    Counter,
    Reading,
    Spend,
    Spike,
    Trust,
    Window,
    keeps_log,
)
from pumpguard.decision import Action
from pumpguard.store.base import Answer, Question
from pumpguard.store.encoding import LOG, kind
from pumpguard.store.plan import Plan, Weight, counts_attempts, feeds, strikes
from pumpguard.store.tails import six, tail

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
    groups = sorted({plan.group_of[i] + 1 for i in plan.binding_bans})
    encoded = [bytes([flags, len(groups), len(plan.binding_bans), *groups])]
    for i in plan.binding_bans:
        hidden = HIDDEN if plan.counters[i].action is Action.SHADOW else 0
        group = plan.group_of[i] + 1 + hidden
        encoded.append(bytes([places.index(i), group]) + short_id(plan.identities[i]))
    for together in plan.segments:
        _check(plan, [i for counters in together for i in counters])
        encoded.append(bytes([len(together)]))
        for counters in together:
            log = keeps_log(plan.counters[counters[0]])
            encoded.append(_log(plan, counters) if log else _segment(plan, counters[0]))
    if plan.weights:
        encoded.append(bytes([len(plan.weights)]))
        encoded += [_weight(plan, weight) for weight in plan.weights]
    return b"".join(encoded)


def _check(plan: Plan, group: Sequence[int]) -> None:
    """Counters that are no other look at what is there already must be told apart."""
    counters = [plan.counters[i] for i in group]
    shared = {
        plan.identities[i]
        for i, counter in zip(group, counters, strict=True)
        if isinstance(counter, Spend) or keeps_log(counter)
    }
    alone = [plan.identities[i] for i in group if plan.identities[i] not in shared]
    if len({short_id(each) for each in (*alone, *shared)}) != len(alone) + len(shared):
        raise ValueError("two counters of one subject have the same id: rename a rule")


def short_id(identity: str) -> bytes:
    """What tells a counter from the others in its subject's value."""
    return blake2b(identity.encode(), digest_size=3).digest()


def _segment(plan: Plan, i: int) -> bytes:
    """A counter that has a segment to itself, or is another look at one."""
    counter = plan.counters[i]
    flags = (BINDS if plan.binds[i] else 0) | (ATTEMPTS if counts_attempts(counter) else 0)
    span = getattr(counter, "seconds", 0) * 1000
    head = kind(counter) + bytes([flags]) + short_id(plan.identities[i])
    rest = _ban_tail(plan, counter) if isinstance(counter, Ban) else tail(counter)
    return head + six(_limit(counter)) + six(span) + rest


def _log(plan: Plan, windows: Sequence[int]) -> bytes:
    """A log and the windows that share it."""
    counters = [each for i in windows if isinstance(each := plan.counters[i], Window)]
    first = counters[0]
    flags = ATTEMPTS if counts_attempts(first) else 0
    least, longest = min(each.limit for each in counters), plan.longest[windows[0]]
    head = LOG + bytes([flags]) + short_id(plan.identities[windows[0]])
    looks = [
        struct.pack(">BH", plan.binds[i], each.limit) + six(each.seconds * 1000)
        for i, each in zip(windows, counters, strict=True)
    ]
    shape = bytes([len(counters), first.most])
    return head + six(least) + six(longest * 1000) + shape + b"".join(looks)


def _limit(counter: Counter) -> int:
    match counter:
        case Ban():
            return counter.strikes
        case Spike():
            return counter.minimum
        case Trust():
            return counter.gain
    return getattr(counter, "limit", 0)


def _ban_tail(plan: Plan, ban: Ban) -> bytes:
    feeders = bytes(place for place, i in enumerate(plan.order) if strikes(ban, plan.counters[i]))
    shape = struct.pack(">IIIdd", ban.base, ban.cap, ban.memory, ban.factor, ban.jitter)
    return shape + bytes([ban.most, ban.yields, len(feeders)]) + feeders


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
