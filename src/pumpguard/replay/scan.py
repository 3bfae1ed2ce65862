"""A scan statistic, as in epidemiology: when far more of a group went unanswered than its own users
leave so.

In each group and each time, the unanswered messages are held against what the group's users leave
unanswered. The score of a stretch of time is the log-likelihood of so many `TIMES` as many.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import NamedTuple

STEP = 60.0
"""Seconds of a bin."""

TIMES = (6.0, 2.0)
"""How many times as many unanswered messages an attack is looked for as: bots that enter nothing,
and bots that enter some codes. No source."""

UNANSWERED = 0.5
"""The share of messages that people may leave unanswered, for what is usual; they enter 60 to 85 %
of codes (IronAuth, see docs/research.md)."""

BESIDE = UNANSWERED / (1 - UNANSWERED)
"""That is so many for each one that was answered."""

LEAST = 0.02
"""Unanswered messages a minute that are usual in any group, so that a few never are an episode."""

THRESHOLD = 25.0
"""Of the score. By chance alone one group in e^25 has that; the groups are some 10,000 a day."""

MORE = 7.0
"""Of the score of what a larger group has besides the smaller ones that an attack is known by. By
chance one group in e^7, or a thousand, has that, and here few are looked at."""

APART = 45 * 60.0
"""Seconds between two stretches that are told as two episodes."""

KEPT = 3600.0
"""Seconds before and after, of which the answered messages say what is usual."""

ADDED = 3
"""How many times as many messages as at other times, or as many unanswered as answered ones, an
attack has at least. No source."""

ENOUGH = 5
"""Users in a stretch of time, at least, whose silence says that the provider is away. By chance so
many are silent once in 150 times."""


class Unanswered(NamedTuple):
    """A message for which no code was entered."""

    phone: str
    country: str
    usd: float


@dataclass
class Group:
    """Its messages in order of time: when each unanswered one was sent, with its place among all of
    those, and when each answered one was."""

    unanswered: list[tuple[float, int]] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    cap: float = inf  # unanswered messages a minute that are usual, at most

    def times(self) -> tuple[list[float], list[float]]:
        return self.answered, [at for at, _ in self.unanswered]

    @property
    def size(self) -> int:
        return len(self.unanswered) + len(self.answered)

    def ends(self) -> tuple[float, float]:
        times = [each for part in self.times() for each in (part[:1] + part[-1:])]
        return min(times), max(times)


def stretches(
    group: Group, messages: Sequence[Unanswered], as_many: float, least: float = THRESHOLD
) -> list[tuple[float, float, float]]:
    """The stretches of time (start, end, score) of which the score is at ``least`` that."""
    times = [at for at, _ in group.unanswered]
    around = _Sliding(group.answered, KEPT)
    gain, best = log(as_many), []
    score, start, top, end, before = 0.0, times[0], 0.0, times[0], times[0]
    for at in times:
        usual = min(group.cap, max(LEAST, around.rate(at) * BESIDE))
        score -= usual * (as_many - 1) * (at - before) / STEP
        over = top >= least and score < top - THRESHOLD
        if score <= 0 or over or at - before > APART:
            best.append((start, end, top))
            score, start, top = 0.0, at, 0.0
        score += gain
        if score > top:
            top, end = score, at
        before = at
    best.append((start, end, top))
    return [each for each in best if each[2] >= least and _adds(group, messages, *each[:2])]


class _Sliding:
    """Of sorted times, how many a minute there are within so many seconds of a later and later
    one."""

    def __init__(self, times: Sequence[float], within: float) -> None:
        self._times, self._within = times, within
        self._low = self._high = 0

    def rate(self, at: float) -> float:
        while self._high < len(self._times) and self._times[self._high] <= at + self._within:
            self._high += 1
        while self._low < self._high and self._times[self._low] < at - self._within:
            self._low += 1
        return (self._high - self._low) / (2 * self._within / STEP)


def _adds(group: Group, messages: Sequence[Unanswered], start: float, end: float) -> bool:
    """Whether more came than comes at other times, or next to nobody answered."""
    inside = {i for at, i in group.unanswered if start <= at <= end}
    unanswered, answered = len(inside), sum(start <= at <= end for at in group.answered)
    if usual := _silent(group, start, end, answered):
        # The provider is slow or away. Who waits for a code asks again: count people.
        return len({messages[i].phone for i in inside}) >= ADDED * usual
    if unanswered >= ADDED * answered:
        return True
    first, last = group.ends()
    outside = group.size - answered - unanswered
    rate = outside / max(STEP, (last - first) - (end - start))
    return answered + unanswered >= ADDED * rate * max(STEP, end - start)


def _silent(group: Group, start: float, end: float, answered: int) -> float:
    """How many of the group's users enter a code in such a time in the hours around, if hardly
    anybody did meanwhile; else 0."""
    wide = max(KEPT, (end - start) / 2)
    around = sum(start - wide <= at <= end + wide for at in group.answered) - answered
    usual = around * (end - start) / (2 * wide)
    return usual if usual >= ENOUGH and answered < usual / ADDED else 0.0
