"""Bans: whoever is refused too often is refused for longer each time."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pumpguard.counters.base import Counter, Segment, Timed, Turn
from pumpguard.counters.window import layout_for, parts_for
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Ban(Timed):
    """A subject that gathers ``strikes`` in any ``seconds`` is refused until a time.

    What gives a strike is ``fed_by``: the word ``"attempts"`` (every request), or the names of
    rules whose refusals count. The ban lasts ``base × factor^level`` seconds, at most ``cap``,
    spread by ± ``jitter``; the level rises with each ban and falls by one for every ``memory``
    seconds that pass after a ban has ended. Earned headroom is added to ``strikes``, up to
    ``max_factor`` times as many. A refusal that asks for proof gives one only with ``challenges``.
    With ``yields``, it does not stand while its subject has any headroom.
    """

    rule: str
    by: str
    strikes: int
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

    turn: ClassVar[Turn] = Turn.BAN

    @property
    def refuses_at_once(self) -> bool:
        """Unless it may have to yield, which takes reading what else there is."""
        return not self.yields

    @property
    def counts_attempts(self) -> bool:
        """Whether every request gives a strike."""
        return self.fed_by == "attempts"

    @property
    def fed_by_rules(self) -> frozenset[str]:
        """The rules whose refusals give a strike."""
        return self.fed_by if isinstance(self.fed_by, frozenset) else frozenset()

    @property
    def layout(self) -> str:
        """How strikes are stored."""
        return layout_for(self.strikes * self.max_factor)

    @property
    def parts(self) -> tuple[str, ...]:
        """A log, or slices for many strikes; which of them, its Lua asks the log."""
        return ("log", *parts_for(self.strikes * self.max_factor))

    @property
    def limit_on_the_wire(self) -> int:
        """The strikes that are too many."""
        return self.strikes

    def struck_by(self, counter: Counter) -> bool:
        """Whether being refused by it gives a strike: not for a challenge, which an honest client
        meets, solves and passes, unless this ban is about those."""
        told = self.challenges or counter.action > Action.CHALLENGE
        return told and counter.rule in self.fed_by_rules

    def tail(self, segment: Segment) -> bytes:
        """Base, cap, memory in seconds (4 each), factor, jitter (doubles), up to how many times the
        strikes (1), whether it yields (1), how many (1) and which (1 each) counters feed it."""
        feeders = bytes(i for i, each in enumerate(segment.plan) if self.struck_by(each))
        shape = struct.pack(">IIIdd", self.base, self.cap, self.memory, self.factor, self.jitter)
        return shape + bytes([self.max_factor, self.yields, len(feeders)]) + feeders

    def divided(self, parts: int) -> Ban:
        """With that part of the strikes, at least one."""
        return replace(self, strikes=max(1, self.strikes // parts))

    def divisible(self, parts: int) -> bool:
        """Whether there is at least one strike for each."""
        return self.strikes >= parts
