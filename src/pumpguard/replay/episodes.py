"""Attacks in a log, found with hindsight: where far more went unanswered than people leave so.

A scan statistic, as in epidemiology: in each group (a block of 1,000 numbers, one of 10,000, a
country, an address, everything) and each time, the unanswered messages are held against what the
group's own users leave unanswered. The score of a stretch of time is the log-likelihood of so many
`TIMES` as many; the best stretch is an episode if its score is above `THRESHOLD`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import log

from pumpguard.intake.phone import canonical
from pumpguard.replay.journal import Played

STEP = 60.0
"""Seconds of a bin."""

TIMES = (6.0, 2.0)
"""How many times as many unanswered messages an attack is looked for as: bots that enter nothing,
and bots that enter some codes. No source."""

UNANSWERED = 0.5
"""The share of messages that people may leave unanswered, for what is usual; they enter 60 to 85 %
of codes (IronAuth, see docs/research.md)."""

LEAST = 0.02
"""Unanswered messages a minute that are usual in any group, so that a few never are an episode."""

THRESHOLD = 25.0
"""Of the score. By chance alone one group in e^25 has that; the groups are some 10,000 a day."""

APART = 45 * 60.0
"""Seconds between two stretches that are told as two episodes."""

KEPT = 3600.0
"""Seconds before and after, of which the answered messages say what is usual."""

ADDED = 3
"""How many times as many messages as at other times, or as many unanswered as answered ones, an
attack has at least. No source."""

LEAST_USD = 10.0
"""What an episode has cost, at least: below that nobody looks at it."""

CLEAR = 0.05
"""Of the highest score of an episode: what has less does not say when it began and ended."""

EVERYTHING = "everything"
SHOWN = 5


@dataclass
class Episode:
    """An attack: from when to when (Unix seconds), how many messages, USD, and by what known."""

    start: float
    end: float
    messages: int = 0
    usd: float = 0.0
    score: float = 0.0
    groups: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)

    @property
    def recognised_by(self) -> list[str]:
        """The groups with the most of its messages, most first."""
        return [group for group, _ in self.groups.most_common(SHOWN)]


@dataclass
class _Group:
    unanswered: list[tuple[float, int]] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)

    def times(self) -> tuple[list[float], list[float]]:
        return self.answered, [at for at, _ in self.unanswered]

    def ends(self) -> tuple[float, float]:
        times = [each for part in self.times() for each in (part[:1] + part[-1:])]
        return min(times), max(times)


def find(entries: Iterable[tuple[Played, float]]) -> list[Episode]:
    """The episodes of entries in order of time, each with its price in USD, earliest first."""
    groups: dict[str, _Group] = defaultdict(_Group)
    messages: list[tuple[float, str, float, str]] = []
    for entry, usd in entries:
        if entry.is_verification:
            continue
        phone = canonical(entry.phone)
        country = phone.region or f"+{phone.calling_code}"
        for name in _names(entry, country):
            group = groups[name]
            if entry.verified:
                group.answered.append(entry.at)
            else:
                group.unanswered.append((entry.at, len(messages)))
        if not entry.verified:
            messages.append((entry.at, country, usd, entry.phone))
    found = [
        (stretch, name)
        for name, group in groups.items()
        if len(group.unanswered) >= 8
        for times in (TIMES if name != EVERYTHING else TIMES[:1])
        for stretch in _stretches(group, times)
    ]
    return _merged(found, groups, messages)


def _names(entry: Played, country: str) -> Sequence[str]:
    names = [
        f"block {entry.phone[:-3]}",
        f"block {entry.phone[:-4]}",
        f"country {country}",
        EVERYTHING,
    ]
    if entry.address is not None:
        names.append(f"address {entry.address}")
    return names


def _stretches(group: _Group, as_many: float) -> list[tuple[float, float, float]]:
    """The stretches of time (start, end, score) of which the score is above the threshold."""
    times = [at for at, _ in group.unanswered]
    around = _Sliding(group.answered, KEPT)
    gain, best = log(as_many), []
    score, start, top, end, before = 0.0, times[0], 0.0, times[0], times[0]
    for at in times:
        usual = max(LEAST, around.rate(at) * UNANSWERED / (1 - UNANSWERED))
        score -= usual * (as_many - 1) * (at - before) / STEP
        over = top >= THRESHOLD and score < top - THRESHOLD
        if score <= 0 or over or at - before > APART:
            best.append((start, end, top))
            score, start, top = 0.0, at, 0.0
        score += gain
        if score > top:
            top, end = score, at
        before = at
    best.append((start, end, top))
    return [each for each in best if each[2] >= THRESHOLD and _adds(group, each[0], each[1])]


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


def _adds(group: _Group, start: float, end: float) -> bool:
    """Whether more came than comes at other times, or next to nobody answered: where a provider
    is slow or away, the usual people go without an answer, and nobody is added."""
    within = [[start <= at <= end for at in times] for times in group.times()]
    answered, unanswered = (sum(each) for each in within)
    if unanswered >= ADDED * answered:
        return True
    first, last = group.ends()
    outside = sum(len(each) for each in within) - answered - unanswered
    rate = outside / max(STEP, (last - first) - (end - start))
    return answered + unanswered >= ADDED * rate * max(STEP, end - start)


def _merged(
    found: list[tuple[tuple[float, float, float], str]],
    groups: dict[str, _Group],
    messages: Sequence[tuple[float, str, float, str]],
) -> list[Episode]:
    """Stretches that touch are one attack; what it cost is counted once. Its ends are those of its
    clear parts: whoever left a code unanswered soon after would move them."""
    together: list[list[tuple[tuple[float, float, float], str]]] = []
    last = 0.0
    for each in sorted(found):
        (start, end, _), _ = each
        if not together or start > last + APART:
            together.append([])
            last = end
        together[-1].append(each)
        last = max(last, end)
    episodes = [_episode(parts, groups, messages) for parts in together]
    return [episode for episode in episodes if episode.usd >= LEAST_USD]


def _episode(
    parts: list[tuple[tuple[float, float, float], str]],
    groups: dict[str, _Group],
    messages: Sequence[tuple[float, str, float, str]],
) -> Episode:
    top = max(score for (_, _, score), _ in parts)
    clear = [part for part in parts if part[0][2] >= CLEAR * top]
    start = min(start for (start, _, _), _ in clear)
    episode = Episode(start, max(end for (_, end, _), _ in clear), score=top)
    members: set[int] = set()
    for (begins, ends, _), name in parts:
        inside = {
            i
            for at, i in groups[name].unanswered
            if max(begins, episode.start) <= at <= min(ends, episode.end)
        }
        members |= inside
        if name != EVERYTHING and inside:
            episode.groups[name] += len(inside)
    episode.messages = len(members)
    episode.usd = sum(messages[i][2] for i in members)
    episode.countries.update(messages[i][1] for i in members)
    return episode
