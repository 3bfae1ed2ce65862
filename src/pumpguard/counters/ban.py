"""Bans: whoever is refused too often is refused for longer each time."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Literal

from pumpguard.counters.base import Counter, Limited, Reading, Segment, Turn
from pumpguard.counters.window import layout_for
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Ban(Limited):
    """A subject that gathers ``limit`` strikes in any ``seconds`` is refused until a time.

    What gives a strike is ``fed_by``: the word ``"attempts"`` (every request), or the names of
    rules whose refusals count. The ban lasts ``base × factor^level`` seconds, at most ``cap``,
    spread by ± ``jitter``; the level rises with each ban and falls by one for every ``memory``
    seconds that pass after a ban has ended. Earned headroom is added to ``limit``, up to
    ``max_factor`` times as many. A refusal that asks for proof gives one only with ``challenges``.
    With ``yields``, it does not stand while its subject has any headroom; with ``except_known``,
    not for numbers that have verified before, nor for proof from where users verify (see `Known`);
    but with ``challenges`` for customers alone, because bots that only have to be asked know
    numbers of others.
    """

    rule: str
    by: str
    limit: int
    seconds: int
    fed_by: Literal["attempts"] | frozenset[str]
    base: int = 600
    factor: float = 5.0
    cap: int = 86_400
    memory: int = 86_400
    jitter: float = 0.2
    action: Action = Action.BLOCK
    max_factor: int = 1
    challenges: bool = False
    yields: bool = False
    except_known: bool = False

    turn: ClassVar[Turn] = Turn.BAN

    @property
    def refuses_at_once(self) -> bool:
        return not (self.yields or self.except_known)  # whether it has to, other counters tell

    @property
    def counts_attempts(self) -> bool:
        return self.fed_by == "attempts"

    @property
    def fed_by_rules(self) -> frozenset[str]:
        return self.fed_by if isinstance(self.fed_by, frozenset) else frozenset()

    @property
    def layout(self) -> str:
        return layout_for(self.limit * self.max_factor)

    @property
    def parts(self) -> tuple[str, ...]:
        return ("log", self.layout)  # which of them it needs, its Lua asks the log

    def struck_by(self, counter: Counter) -> bool:
        """Whether being refused by it gives a strike: not for a challenge, which an honest client
        meets, solves and passes, unless this ban is about those."""
        counts = self.challenges or counter.action > Action.CHALLENGE
        return counts and counter.rule in self.fed_by_rules

    @property
    def excepted(self) -> int:
        """For whom it does not stand: of what is reserved, so many halves are open to them."""
        return (2 if self.challenges else 1) if self.except_known else 0

    def full_from(self, reading: Reading, price: int) -> int | None:
        return 0

    def tail(self, segment: Segment) -> bytes:
        """Base, cap, memory in seconds (4 each), factor, jitter (doubles), up to how many times the
        strikes (1), whether it yields (1), whom it excepts (1), how many (1) and which (1 each)
        counters feed it."""
        feeders = bytes(i for i, each in enumerate(segment.plan) if self.struck_by(each))
        shape = struct.pack(">IIIdd", self.base, self.cap, self.memory, self.factor, self.jitter)
        flags = [self.max_factor, self.yields, self.excepted, len(feeders)]
        return shape + bytes(flags) + feeders
