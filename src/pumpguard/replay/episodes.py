"""Attacks in a log, found with hindsight: where far more went unanswered than people leave so.

Each group (a block of 1,000 numbers, one of 10,000, a country, an address, everything) is scanned
by itself (`pumpguard.replay.scan`). Stretches of time that touch are one episode, and so are those
to the same countries that are hours apart.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from pumpguard.replay.journal import Played
from pumpguard.replay.scan import APART, BESIDE, MORE, STEP, TIMES, Group, Unanswered, stretches

DAY = 86_400.0
PAUSE = 6 * 3600.0
"""Seconds between two parts of one attack: both go to the same countries. Attackers try a way, and
come again when they have prepared (docs/scorecard.md, `warm_up`)."""

SAME = 0.5
"""The share of messages to countries that two parts of one attack have in common, at least."""

CAPS = {3: 0.05, 4: 0.3}
"""Unanswered messages a minute that users of a block of so many free digits leave at most, unless
they ask for more all day: a block has few users, and they do not come all at once. No source."""

LEAST_USD = 10.0
"""What an episode has cost, at least: below that nobody looks at it."""

CLEAR = 0.05
"""Of the highest score of an episode: what has less does not say when it began and ended."""

EVERYTHING = "everything"
SHOWN = 5


class Part(NamedTuple):
    """A group's share of an attack: from when to when its unanswered messages belong to it."""

    start: float
    end: float
    group: str


@dataclass
class Episode:
    """An attack: from when to when (Unix seconds), how many messages, USD, and by what known. Its
    ``parts`` say which messages are its own."""

    start: float
    end: float
    messages: int = 0
    usd: float = 0.0
    score: float = 0.0
    groups: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)
    parts: list[Part] = field(default_factory=list)

    def has(self, entry: Played) -> bool:
        """Whether a message is one of its own."""
        if entry.verified or not entry.sent or not self.start <= entry.at <= self.end:
            return False
        names = {name for name, _ in _names(entry)}
        return any(
            part.start <= entry.at <= part.end and part.group in names for part in self.parts
        )

    @property
    def recognised_by(self) -> list[str]:
        """The groups with the most of its messages, most first."""
        return [group for group, _ in self.groups.most_common(SHOWN)]

    def add(self, later: Episode) -> None:
        """Take another part of the same attack in."""
        self.end = later.end
        self.messages += later.messages
        self.usd += later.usd
        self.score = max(self.score, later.score)
        self.groups += later.groups
        self.parts += later.parts
        self.countries += later.countries


def find(entries: Iterable[tuple[Played, float]]) -> list[Episode]:
    """The episodes of entries in order of time, each with its price in USD, earliest first."""
    groups: dict[str, Group] = defaultdict(Group)
    messages: list[Unanswered] = []
    first = last = 0.0
    for entry, usd in entries:
        if entry.is_verification or not entry.sent:
            continue
        first, last = first or entry.at, entry.at
        for name, cap in _names(entry):
            group = groups[name]
            group.cap = cap
            if entry.verified:
                group.answered.append(entry.at)
            else:
                group.unanswered.append((entry.at, len(messages)))
        if not entry.verified:
            messages.append(Unanswered(entry.phone, country_of(entry), usd))
    minutes = max(DAY, last - first) / STEP
    for group in groups.values():
        group.cap = max(group.cap, len(group.answered) / minutes * BESIDE)
    found = [
        (stretch, name)
        for name, group in groups.items()
        if len(group.unanswered) >= 8
        for times in _times(name)
        for stretch in stretches(group, messages, times)
    ]
    return _merged(found, groups, messages)


def country_of(entry: Played) -> str:
    """Where a message went, or the calling code that belongs to no country."""
    phone = entry.whose
    return phone.region or f"+{phone.calling_code}"


def _times(name: str) -> tuple[float, ...]:
    return TIMES[:1] if name == EVERYTHING else TIMES


def _names(entry: Played) -> Iterator[tuple[str, float]]:
    """The groups of a message, with the most unanswered ones a minute that are usual in them."""
    for free, cap in CAPS.items():
        yield f"block {entry.phone[:-free]}", cap
    yield f"country {country_of(entry)}", inf
    yield EVERYTHING, inf
    if entry.address is not None:
        yield f"address {entry.address}", inf


def _merged(
    found: list[tuple[tuple[float, float, float], str]],
    groups: dict[str, Group],
    messages: Sequence[Unanswered],
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
    episodes = _paused([_episode(parts, groups, messages) for parts in together])
    return [episode for episode in episodes if episode.usd >= LEAST_USD]


def _paused(episodes: Sequence[Episode]) -> list[Episode]:
    """With the parts of one attack that pauses as one."""
    found: list[Episode] = []
    for each in episodes:
        earlier = [e for e in found if each.start - e.end <= PAUSE and _alike(e, each) >= SAME]
        if earlier:
            earlier[-1].add(each)
        else:
            found.append(each)
    return found


def _alike(one: Episode, other: Episode) -> float:
    """Which part of their messages went to countries that they have in common."""
    shares = [
        [each.countries[name] / max(1, each.countries.total()) for each in (one, other)]
        for name in one.countries
    ]
    return sum(map(min, shares))


def _episode(
    found: list[tuple[tuple[float, float, float], str]],
    groups: dict[str, Group],
    messages: Sequence[Unanswered],
) -> Episode:
    top = max(score for (_, _, score), _ in found)
    clear = [stretch for stretch, _ in found if stretch[2] >= CLEAR * top]
    episode = Episode(min(each[0] for each in clear), max(each[1] for each in clear), score=top)
    members = dict[int, float]()
    names = sorted({name for _, name in found}, key=lambda name: groups[name].size)
    for name in names:  # the smallest first: it says most about who is meant
        for start, end in _besides(groups[name], members, messages, _times(name)):
            part = Part(max(start, episode.start), min(end, episode.end), name)
            mine = {i: at for at, i in groups[name].unanswered if part.start <= at <= part.end}
            if mine:
                episode.parts.append(part)
                members |= mine
    episode.start = max(episode.start, min(members.values()))
    episode.end = min(episode.end, max(members.values()))
    for name in names:
        inside = sum(i in members for _, i in groups[name].unanswered)
        if name != EVERYTHING:
            episode.groups[name] += inside
    episode.messages = len(members)
    episode.usd = sum(messages[i].usd for i in members)
    episode.countries.update(messages[i].country for i in members)
    return episode


def _besides(
    group: Group,
    members: Mapping[int, float],
    messages: Sequence[Unanswered],
    times: Sequence[float],
) -> list[tuple[float, float]]:
    """When far more of a group than usual went unanswered, beside those that are members already.
    Whoever else asked there, as people do, is none of the attack."""
    rest = [each for each in group.unanswered if each[1] not in members]
    if not rest:
        return []
    besides = Group(rest, group.answered, group.cap)
    return [
        (start, end)
        for as_many in times
        for start, end, _ in stretches(besides, messages, as_many, MORE)
    ]
