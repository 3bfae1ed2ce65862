"""The shape of answers: which parts of them never change, and how the others are made.

What differs between answers may be about somebody, so it is never copied. Either all of it is
understood (a random id, a time, or the number that was asked for) and made anew, or nothing is made
of these answers.
"""

from __future__ import annotations

import random
import re
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from itertools import pairwise
from os.path import commonprefix
from typing import NamedTuple, TypeAlias

from pumpguard.shadow.ids import ALPHABETS, drawn

SHORTEST_ID = 6
"""Characters that differ; fewer might be anything, such as a language or the end of a number."""

TELLING = 4
"""Digits of a phone number that must not pass for those of an id."""

SPREAD, FAR = 5.0, 400 * 86_400.0
"""Seconds by which times may vary in their distance from the answer, and the longest distance."""

_chance = random.SystemRandom()

_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|\+00:00)?"
_HTTP = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT"
_UUIDS = re.compile(_UUID)
_WORD = re.compile(rf"({_UUID}|{_ISO}|{_HTTP}|[A-Za-z0-9_-]+)")


class Answered(NamedTuple):
    """A text that was answered, when (Unix seconds), and to which number (E.164 without +, and its
    digits after the calling code)."""

    text: str
    at: float
    digits: str
    national: str


class Asked(NamedTuple):
    """When a text is made, and for which number."""

    at: float
    digits: str
    national: str


Part: TypeAlias = Callable[[Asked | Answered], str]
"""Makes one word."""


def skeleton(text: str) -> tuple[str, ...]:
    """What stands between its words. Texts of one shape have the same."""
    return tuple(_WORD.split(text)[::2])


def shape_of(answers: Sequence[Answered]) -> Part | None:
    """How to make a text like these, of one skeleton; ``None`` if one of their words is not
    understood."""
    rows = [_WORD.split(each.text) for each in answers]
    parts: list[Part] = []
    for i, column in enumerate(zip(*rows, strict=True)):
        part = _same(column) if i % 2 == 0 else _part(column, answers)
        if part is None:
            return None
        parts.append(part)
    return lambda asked: "".join([part(asked) for part in parts])


def _part(words: Sequence[str], answers: Sequence[Answered]) -> Part | None:
    """The first that understands them."""
    part = _same(words) or _echo(words, answers)
    if part is not None or len(set(words)) < len(words) or _about_numbers(words, answers):
        return part  # what comes back, but not always, stands for something
    if any(_UUIDS.fullmatch(word) for word in words):
        return _uuid(words)
    return _time(words, answers) or _counted(words) or _random(words)


def _same(words: Sequence[str]) -> Part | None:
    first = words[0]
    return (lambda _: first) if all(word == first for word in words) else None


def _echo(words: Sequence[str], answers: Sequence[Answered]) -> Part | None:
    """The number that was asked for, or its last digits."""
    length = len(words[0])
    echoes: tuple[Part, ...] = (
        lambda asked: asked.digits,
        lambda asked: asked.national,
        lambda asked: "0" + asked.national,
        lambda asked: asked.digits[-length:],
    )
    return next((part for part in echoes if list(words) == [part(a) for a in answers]), None)


def _about_numbers(words: Sequence[str], answers: Sequence[Answered]) -> bool:
    """Whether most of them contain the end of the number, in a way that is not understood."""
    found = [a.national[-TELLING:] in word for word, a in zip(words, answers, strict=True)]
    return sum(found) > len(found) / 2


def _time(words: Sequence[str], answers: Sequence[Answered]) -> Part | None:
    """A time that is always about as far from that of its answer."""
    first = words[0]
    for pattern, read, write in _CLOCKS:
        if not all(re.fullmatch(pattern, word) for word in words):
            continue
        try:
            ahead = [read(word) - a.at for word, a in zip(words, answers, strict=True)]
        except (ValueError, TypeError, OverflowError):
            return None
        if max(ahead) - min(ahead) <= SPREAD and abs(ahead[0]) < FAR:
            return lambda asked: write(asked.at + _chance.uniform(min(ahead), max(ahead)), first)
    return None


def _read_iso(word: str) -> float:
    read = datetime.fromisoformat(word)
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def _write_iso(at: float, like: str) -> str:
    text = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    without_zone = re.sub(r"Z|\+00:00", "", like)
    return text[: len(without_zone)] + like[len(without_zone) :]


def _write_http(at: float, _like: str) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC), usegmt=True)


_CLOCKS: tuple[tuple[str, Callable[[str], float], Callable[[float, str], str]], ...] = (
    ("[0-9]{10}", float, lambda at, _: str(int(at))),
    ("[0-9]{13}", lambda word: int(word) / 1000, lambda at, _: str(int(at * 1000))),
    (_ISO, _read_iso, _write_iso),
    (_HTTP, lambda word: parsedate_to_datetime(word).timestamp(), _write_http),
)


def _uuid(words: Sequence[str]) -> Part | None:
    """Random UUIDs; others are made of a time and a place."""
    if not all(_UUIDS.fullmatch(word) and uuid.UUID(word).version == 4 for word in words):
        return None
    upper = all(word == word.upper() for word in words)
    return lambda _: str(uuid.uuid4()).upper() if upper else str(uuid.uuid4())


def _counted(words: Sequence[str]) -> Part | None:
    """Numbers that rise from answer to answer, as those of rows in a table do."""
    if not all(word.isascii() and word.isdecimal() and word[0] != "0" for word in words):
        return None
    values = [int(word) for word in words]
    steps = [after - before for before, after in pairwise(values)]
    if min(steps) <= 0:
        return None
    last = values[-1]

    def following(_: Asked | Answered) -> str:
        nonlocal last
        last += _chance.choice(steps)
        return str(last)

    return following


def _random(words: Sequence[str]) -> Part | None:
    """Characters of one alphabet behind a beginning that never changes."""
    begin = commonprefix(list(words))  # noqa: RUF071 - of texts, not of paths
    rests = [word[len(begin) :] for word in words]
    if min(map(len, rests)) < SHORTEST_ID or any(word.startswith("eyJ") for word in words):
        return None  # signed tokens hold JSON in base64, which anybody can read
    used = "".join(rests)
    name = next((name for name, letters in ALPHABETS.items() if set(used) <= set(letters)), None)
    if name is None or (name != "digits" and not _mixed(used)):
        return None
    lengths = [len(rest) for rest in rests]
    zeros = any(rest.startswith("0") for rest in rests)

    def another(_: Asked | Answered) -> str:
        while True:
            made = drawn(ALPHABETS[name], _chance.choice(lengths))
            if made not in rests and (zeros or made[0] != "0"):
                return begin + made

    return another


def _mixed(letters: str) -> bool:
    """Whether letters and digits come as they do by chance: names rarely have any digits."""
    digits = sum(letter.isdecimal() for letter in letters)
    return 0.08 < digits / len(letters) < 0.9
