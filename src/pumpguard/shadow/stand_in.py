"""Results under a shadow: as the app says (`like`), or made like those that real sends had."""

from __future__ import annotations

import re
import secrets
import string
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any, NamedTuple

from pumpguard.errors import PolicyError

ALPHABETS = {
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "base32": "0123456789abcdefghijklmnopqrstuvwxyz",
    "BASE32": "0123456789ABCDEFGHJKMNPQRSTVWXYZ",
    "base62": string.digits + string.ascii_letters,
    "base64url": string.digits + string.ascii_letters + "-_",
}

PLACE = re.compile(r"\{(\w+)(?::(\d+))?\}")
"""Where a template has an id."""

KEPT = 8
"""The newest results of a sender, which new ones are made like."""

ENOUGH = 4
"""Results for different arguments: what is the same in all of them is nobody's own."""

SMALL = 1_000
"""Whole numbers below it (a status, a count of parts) say nothing of anybody and are repeated."""

DAY = 86_400

PREFIX = re.compile(r"[A-Za-z]+[-_:.]|[A-Z]{1,3}(?=[0-9a-f])|")
"""The fixed beginning of an id, as long as few are known: ``SM``, ``msg_``, ``message-``."""

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z", re.IGNORECASE)
STATUS = re.compile(r"(?:[a-z_\-/]{0,32}|[A-Z_\-/]{0,32})\Z")
ID = re.compile(r"(?=.*[0-9])[A-Za-z0-9_\-.:|=+/@<>]{1,256}\Z")
CLASSES = [set(ALPHABETS[name]) for name in ("digits", "hex", "HEX")]


class NoStandInError(Exception):
    """A result of a kind that cannot be made anew, or not yet."""


class Sample(NamedTuple):
    """A real result or a part of one, and what its sender was given."""

    result: Any
    given: Sequence[object]


class StandIns:
    """Learns the results of one sender.

    Plain data is learnt: ``None``, truth values, numbers, texts, lists, tuples and dicts. Ids are
    made anew, with the beginning and in the alphabet of real ones; what repeats an argument
    repeats that of the new call; moments become now; statuses are repeated, and so is what was
    the same for several different calls. Of other objects nothing is learnt.
    """

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._able = False

    def learn(
        self, result: Any, args: Sequence[object], kwargs: Mapping[str, object]
    ) -> bool | None:
        """Keep a real result. Returns whether one like it can be made; ``None`` if more results
        may be enough for it."""
        sample = Sample(result, (*args, *kwargs.values()))
        samples = [*self._samples, sample]
        try:
            _made(samples, ())
        except NoStandInError:
            if self._able:
                return True  # others are known: this one is an odd one
            self._samples.append(sample)
            return None if len(samples) < KEPT and _is_plain(result) else False
        self._samples.append(sample)
        self._able = True
        return True

    def make(self, args: Sequence[object], kwargs: Mapping[str, object]) -> Any:
        """A result like the newest ones; ``None`` where nothing can be made."""
        with suppress(NoStandInError, IndexError):
            return _made(list(self._samples), (*args, *kwargs.values()))
        return None


def _is_plain(value: Any) -> bool:
    if type(value) is dict:
        return all(map(_is_plain, value.values()))
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    return type(value) in (type(None), bool, int, float, str)


def _made(samples: Sequence[Sample], given: Sequence[object]) -> Any:
    last = samples[-1].result
    alike = [each for each in samples if type(each.result) is type(last)]
    kind = type(last)
    if kind is dict:
        return {
            key: _made([Sample(r[key], g) for r, g in alike if key in r], given) for key in last
        }
    if kind in (list, tuple):
        parts = range(len(last))
        return kind(_made([Sample(r[i], g) for r, g in alike if i < len(r)], given) for i in parts)
    if kind is str:
        return _text(alike, given)
    if kind is int or kind is float:
        return _number(last)
    if last is None or kind is bool:
        return last
    raise NoStandInError


def _number(last: float) -> float:
    now = time.time()
    for unit in (1, 1_000):
        if abs(last / unit - now) < DAY:
            return type(last)(now * unit)
    if type(last) is float or abs(last) < SMALL:
        return last
    return int(drawn("123456789", 1) + drawn(string.digits, len(str(abs(last))) - 1))


def _text(samples: Sequence[Sample], given: Sequence[object]) -> str:
    last: str = samples[-1].result
    values = [each.result for each in samples]
    for place, argument in enumerate(samples[-1].given):
        if last and argument == last:
            return str(given[place]) if place < len(given) else last
    if UUID.match(last):
        fresh = str(uuid.uuid4())
        return fresh.upper() if last.isupper() else fresh
    if (moment := _now_like(last)) is not None:
        return moment
    strangers = len({tuple(map(str, each.given)) for each in samples})
    if STATUS.match(last) or (strangers >= ENOUGH and len(set(values)) == 1):
        return last
    if not ID.match(last):
        raise NoStandInError
    start = _beginning(values) if strangers >= ENOUGH else PREFIX.findall(last)[0]
    rests = {character for value in values for character in value[len(start) :]}
    letters = {character for character in rests if character.isalnum()}
    known = next((each for each in CLASSES if letters <= each), None)
    alphabet = "".join(sorted(known)) if known else ALPHABETS["base62"]
    rest = last[len(start) :]
    return start + "".join(drawn(alphabet, 1) if each.isalnum() else each for each in rest)


def _beginning(values: Sequence[str]) -> str:
    """What all of them begin with: what the smallest and the largest have in common."""
    low, high = min(values), max(values)
    same = (n for n, (a, b) in enumerate(zip(low, high, strict=False)) if a != b)
    return low[: next(same, min(len(low), len(high)))]


def _now_like(text: str) -> str | None:
    """This moment, written as that one is; ``None`` if it is no moment."""
    with suppress(ValueError):
        if text[4:5] == "-" and len(text) > len("2026-01-01"):
            then = datetime.fromisoformat(text)
            exact = "seconds" if "." not in text else "milliseconds"
            now = datetime.now(then.tzinfo).isoformat(text[10], exact)
            return now.replace("+00:00", "Z") if text.endswith("Z") else now
    with suppress(ValueError):
        if "," in text[:5]:
            then = parsedate_to_datetime(text)
            return format_datetime(datetime.now(then.tzinfo), usegmt=text.endswith("GMT"))
    return None


def like(template: Any) -> Callable[..., Any]:
    """What to give `pumpguard.sender` as ``shadowed``: results that look like your provider's.

        send_sms = sender(send_sms, shadowed=like({"sid": "SM{hex:32}", "status": "queued"}))

    In texts, also inside of lists, tuples and dicts, ``{uuid}`` becomes a random UUID and
    ``{hex:32}`` 32 characters of one of these alphabets: ``digits``, ``hex``, ``HEX``, ``base32``,
    ``BASE32``, ``base62`` or ``base64url``. Everything else stays as it stands. What is made of a
    dict has its items and also attributes of their names, for providers that return objects.
    Raises `PolicyError` for an unknown place.
    """
    _filled(template)
    return lambda *_args, **_kwargs: _filled(template)


class Result(dict[str, Any]):
    """A dict whose items are attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"shadowed=like(…) has no {name!r}", name=name, obj=self) from None


def _filled(template: Any) -> Any:
    match template:
        case str():
            return PLACE.sub(_fill, template)
        case dict():
            return Result((name, _filled(value)) for name, value in template.items())
        case list() | tuple():
            return type(template)([_filled(value) for value in template])
    return template


def _fill(place: re.Match[str]) -> str:
    kind, length = place.groups()
    if kind == "uuid" and length is None:
        return str(uuid.uuid4())
    if kind not in ALPHABETS or not length:
        raise PolicyError("shadowed", "{uuid}, or an alphabet with a length, as {hex:32}", place[0])
    return drawn(ALPHABETS[kind], int(length))


def drawn(alphabet: str, length: int) -> str:
    """``length`` characters of ``alphabet`` that nobody can predict."""
    return "".join([secrets.choice(alphabet) for _ in range(length)])
