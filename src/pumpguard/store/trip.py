"""One question answered in this process, step by step as in ``decide.lua``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import TypeAlias

from pumpguard.counters import (
    Ban,
    Conversion,
    Counter,
    Credit,
    Distinct,
    Known,
    Neighbours,
    Pulse,
    Reading,
    Spend,
    Spike,
    Tickets,
    Trust,
    Window,
)
from pumpguard.store.base import Open, Question, Subject
from pumpguard.store.kinds import (
    Look,
    Stored,
    ban,
    conversion,
    credit,
    distinct,
    known,
    neighbours,
    pulse,
    slices,
    spike,
    tickets,
    trust,
    window,
)
from pumpguard.store.plan import Plan, counts_attempts, feeds, strikes

Key: TypeAlias = tuple[str, Subject]
"""A counter and its subject."""

BEGINNING = conversion.ConversionLook
"""What refused requests are written to by the alarm that they find."""

GOING_ON = spike.SpikeLook
"""What is charged by every admission, full or not."""

Recall: TypeAlias = Callable[[Key, int], Stored | None]
"""What is stored at a time in milliseconds."""

Writes: TypeAlias = dict[Key, tuple[Stored, int]]
"""What to store, and until when."""


def keys(plan: Plan, subjects: tuple[Subject, ...]) -> list[Key]:
    """Where each counter of a plan is stored."""
    return [
        (identity, subjects[group])
        for identity, group in zip(plan.identities, plan.group_of, strict=True)
    ]


@dataclass(slots=True)
class Facts:
    """What kinds want to know beside the counter; see ``request.lua``."""

    place: int
    price: int
    ripe: int | None
    ticket: Open | None
    known: bool = False
    owed: int = 0
    silent: bool = False
    room: int = 0


class Trip:
    """One question being answered, step by step as in ``decide.lua``."""

    def __init__(self, question: Question, now: int, stored: Recall) -> None:
        plan = question.plan
        self.question = question
        self.now = now
        self.facts = Facts(
            question.place,
            question.price,
            question.matures_after,
            new_ticket(question, now),
        )
        self.writes: Writes = {}
        self.keys = keys(plan, question.subjects)
        self.bans = {
            i: ban.look(counter, stored(self.keys[i], now), now)
            for i, counter in enumerate(plan.counters)
            if isinstance(counter, Ban)
        }
        self.counts: dict[int, Look] = {}
        # A standing ban ends it here, and writes nothing: being banned must stay cheap.
        self.standing = {i: self.bans[i] for i in plan.binding_bans if self.bans[i].wait}
        if not self.standing:
            self._read(stored)
        self.admitted = not self.standing and self._decide()

    def readings(self) -> dict[int, Reading]:
        """Of the bans that stand, else of every counter or of those that are full."""
        if self.standing:
            return {i: Reading(look.used, look.wait / 1000) for i, look in self.standing.items()}
        looks: list[tuple[int, Look | ban.BanLook]] = [*self.bans.items(), *self.counts.items()]
        waits = [(i, look, look.wait) for i, look in looks]
        return {
            i: Reading(look.used, wait / 1000, getattr(look, "detail", ()))
            for i, look, wait in waits
            if wait or self.question.plan.reports
        }

    def _read(self, stored: Recall) -> None:
        plan = self.question.plan
        distinct_counts = [i for i, c in enumerate(plan.counters) if isinstance(c, Distinct)]
        member = dict(zip(distinct_counts, self.question.members, strict=True))
        group = -1
        for i in plan.order:
            counter = plan.counters[i]
            if plan.group_of[i] != group:  # what the last one earned is its own
                group, self.facts.room = plan.group_of[i], 0
            if isinstance(counter, Ban):
                self.bans[i].room = self.facts.room
            else:
                kept = stored(self.keys[i], self.now)
                longest = plan.longest[i] * 1000
                self.counts[i] = look_at(
                    counter, self.facts, member.get(i, ""), kept, self.now, longest
                )

    def _decide(self) -> bool:
        counters = self.question.plan.counters
        # Attempts count whatever becomes of the request.
        for i, found in self.bans.items():
            if counts_attempts(found.ban) and not found.wait:
                self.writes[self.keys[i]] = found.strike(self.question.jitter)
        refusing = self._refusing()
        admitted = not refusing and not self.question.refused
        if self.question.known_only and not self.facts.known:
            admitted = False
        if admitted and self.question.bound < inf:
            admitted = self._score() < self.question.bound
        for i, look in self.counts.items():
            begins = isinstance(look, BEGINNING) and look.begins
            fits = not look.wait or isinstance(look, GOING_ON)
            if counts_attempts(counters[i]) or begins or (admitted and fits):
                written = look.charged()
                if written is not None:
                    self.writes[self.keys[i]] = written
        if not admitted:
            self._feed(refusing)
        return admitted

    def _refusing(self) -> list[Counter]:
        plan = self.question.plan
        looks: dict[int, Look | ban.BanLook] = {**self.bans, **self.counts}
        return [plan.counters[i] for i, look in looks.items() if plan.binds[i] and look.wait]

    def _score(self) -> float:
        score = self.question.score
        for factor, places in self.question.plan.weights:
            if any((self.bans.get(i) or self.counts[i]).wait for i in places):
                score *= factor
        return score

    def _feed(self, refusing: list[Counter]) -> None:
        for i, found in self.bans.items():
            if found.wait:
                continue
            before = feeds(found.ban, self.question.refused_by)
            if before or any(strikes(found.ban, counter) for counter in refusing):
                self.writes[self.keys[i]] = found.strike(self.question.jitter)


def look_at(
    counter: Counter, facts: Facts, member: str, stored: Stored | None, now: int, longest: int
) -> Look:
    """Read a counter of any kind but a ban."""
    match counter:
        case Window(limit=limit, seconds=seconds):
            if counter.most > 1:
                return window.with_room(counter, facts.room, stored, now, longest)
            return window.look(limit, seconds * 1000, stored, now, longest=longest)
        case Spend(limit=limit, seconds=seconds, reserved=reserved):
            allowed = limit if facts.known else limit - reserved
            return slices.look(allowed, seconds * 1000, facts.price, stored, now)
        case Credit():
            return credit.look(counter, facts.price, stored, now, facts.owed)
        case Conversion():
            return conversion.look(counter, stored, now, facts.ripe, facts.silent)
        case Spike():
            return spike.look(counter, stored, now)
        case Distinct(limit=limit, seconds=seconds):
            return distinct.look(limit, seconds * 1000, member, stored, now)
        case Neighbours(limit=limit, seconds=seconds):
            span = seconds * 1000
            return neighbours.look(limit, span, facts.place, counter.distance, stored, now)
        case Tickets():
            waiting = tickets.look(counter, facts.ticket, stored, now)
            facts.owed = waiting.owed
            return waiting
        case Known():
            number = known.look(stored, now)
            facts.known = bool(number.used)
            return number
        case Trust():
            earned = trust.look(counter, stored, now, facts.silent)
            facts.room = earned.used
            return earned
        case Pulse():
            beat = pulse.look(counter, stored, now)
            facts.silent = beat.silent
            return beat
    raise ValueError(f"{type(counter).__name__} is no part of a question")


def new_ticket(question: Question, now: int) -> Open | None:
    """The ticket that this request would write."""
    plan = question.plan
    if not question.ticket:
        return None
    subjects = dict(zip(plan.groups, question.subjects, strict=True))
    remembered = tuple(subjects.get(by) for by in plan.remembered)
    return Open(question.ticket, now, question.price, remembered)
