"""A shadow without the app: an answer in the shape of its recent real ones.

Experimental: our own adversary tells whole sessions apart (``docs/shadow.md``).

What strangers were all told is repeated. What differs between answers may be about somebody: it is
a random id, a time or the number that was asked for and is made anew, or nothing is made of these
answers.
"""

from __future__ import annotations

import json
import logging
import random
import re
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from os.path import commonprefix
from typing import NamedTuple, TypeAlias

from starlette.types import Message, Scope, Send

from pumpguard.attempt import Attempt
from pumpguard.intake.routes import normal
from pumpguard.shadow.ids import ALPHABETS, drawn
from pumpguard.shadow.latency import LatencyModel, PreciseSleep

ALIKE = 8
"""Answers of one shape that it takes, each to another phone and another network: what eight
strangers were all told is nobody's own."""

KEPT, LONGEST, KINDS = 64, 16_384, 32
"""Answers kept of each kind of request, their longest body in bytes, and kinds."""

LONGEST_GAP = 2e-4
"""Seconds between an answer's head and its body, that others may be kept waiting for."""

SHORTEST_ID = 12
"""Characters that differ; fewer might be anything."""

SPREAD, FAR = 5.0, 400 * 86_400.0
"""Seconds by which times may vary in their distance from the answer, and the longest distance."""

LENGTH = b"content-length"

_chance = random.SystemRandom()

_VALUE = re.compile(r'("(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*)')
"""A text or a number as JSON has it; names of fields are texts, too."""

_UUID4 = re.compile('"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"')

_CLOCKS = ("", '"%Y-%m-%dT%H:%M:%SZ"', '"%Y-%m-%dT%H:%M:%S.%fZ"')
"""How times are written: as Unix seconds, or in ISO 8601 and UTC."""

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

Part: TypeAlias = Callable[[float, str], str]
"""Makes one value, for a time (Unix seconds) and a number (E.164)."""

logger = logging.getLogger("pumpguard")


class Answer(NamedTuple):
    """One answer in JSON (every second piece is a value), when it was given (Unix seconds), to
    which number (E.164) and which network."""

    status: int
    headers: Headers
    pieces: tuple[str, ...]
    at: float
    phone: str
    network: str

    @property
    def shape(self) -> object:
        return self.status, self.headers, self.pieces[::2]


class Kept:
    """What was learnt of one kind of request."""

    def __init__(self) -> None:
        self.latency = LatencyModel()
        self.gaps: deque[float] = deque(maxlen=KEPT)
        self.answers: list[Answer] = []

    def add(self, answer: Answer) -> None:
        """Keep one answer of each number and each network: who asks often must not look like
        everybody."""
        new = (answer.phone, answer.network)
        others = [old for old in self.answers if old.phone != new[0] and old.network != new[1]]
        self.answers = [*others, answer][-KEPT:]


class Replays:
    """Learns the answers of guarded routes, and answers shadows alike, in about the same time."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._sleep = PreciseSleep()

    def watch(
        self, scope: Scope, parameters: Mapping[str, str], attempt: Attempt, send: Send
    ) -> Send:
        """A ``send`` that learns from the answer to an admitted request."""
        kind, times = kind_of(scope, parameters), [time.perf_counter()]
        messages: list[Message] = []

        async def learning(message: Message) -> None:
            if len(messages) < 3:  # more is streamed, and not learnt from
                messages.append(message)
                times.append(time.perf_counter())
            await send(message)
            if len(messages) == 1:
                times.append(time.perf_counter())
            if message["type"] == "http.response.body" and not message.get("more_body"):
                try:
                    self._learn(kind, attempt, messages, times)
                except Exception:
                    logger.exception("PG025 shadow replay could not learn from an answer")

        return learning

    async def reply(
        self,
        scope: Scope,
        parameters: Mapping[str, str],
        attempt: Attempt,
        send: Send,
        *,
        simulated: bool,
    ) -> bool:
        """Answer as the app would. Returns whether enough was known to do so."""
        begun = time.perf_counter()
        kept = self._kept.get(kind_of(scope, parameters))
        parts = kept and parts_of(kept.answers)
        if not kept or not parts:
            return False
        timing = kept.latency.draw(attempt.phone.region)
        if not simulated:
            await self._sleep.until(begun + timing.seconds)
        made = [part(time.time(), attempt.phone.e164) for part in parts]
        body = "".join(made).encode()
        await _send(kept.answers[0], body, send, _chance.choice(kept.gaps))
        return True

    def _learn(
        self, kind: str, attempt: Attempt, messages: Sequence[Message], times: Sequence[float]
    ) -> None:
        """Keep an answer, if it may be understood. ``times`` are those of the request, of the head
        before and after it was sent, and of the body."""
        read, network, phone = read_json(messages), attempt.client.network, attempt.phone
        if read is None or network is None:
            return
        kept = self._kept.pop(kind, None) or Kept()
        if len(self._kept) >= KINDS:
            self._kept.popitem(last=False)
        self._kept[kind] = kept
        kept.add(Answer(*read, time.time(), phone.e164, network))
        kept.latency.add(times[1] - times[0], phone.region)
        kept.gaps.append(min(times[3] - times[2], LONGEST_GAP))


def read_json(messages: Sequence[Message]) -> tuple[int, Headers, tuple[str, ...]] | None:
    """Status, headers without the length, and pieces of an answer. ``None`` unless it is a success
    with an object in JSON, not too long and in one part."""
    head, *bodies = messages
    body = bodies[0].get("body", b"")
    if len(bodies) > 1 or len(body) > LONGEST or head["status"] not in range(200, 300):
        return None
    try:
        text = body.decode()
        if not isinstance(json.loads(text), dict):
            return None
    except ValueError:
        return None
    headers = [(bytes(n), b"" if n.lower() == LENGTH else bytes(v)) for n, v in head["headers"]]
    return head["status"], tuple(headers), tuple(_VALUE.split(text))


def kind_of(scope: Scope, parameters: Mapping[str, str]) -> str:
    """The method and the path without its parameters: what requests of one kind have in common."""
    path = normal(scope["path"]).lower().split("/")
    parts = ["{}" if part in parameters.values() else part for part in path]
    return f"{scope['method'].upper()} {'/'.join(parts)}"


def parts_of(answers: Sequence[Answer]) -> list[Part] | None:
    """How to make the pieces of a body like these. ``None`` if they are too few, not of one shape,
    or have a value that is not understood."""
    if len(answers) < ALIKE or len({answer.shape for answer in answers}) > 1:
        return None
    columns = zip(*(answer.pieces for answer in answers), strict=True)
    parts = [part for part in (_part(column, answers) for column in columns) if part is not None]
    return parts if len(parts) == len(answers[0].pieces) else None


def _part(values: Sequence[str], answers: Sequence[Answer]) -> Part | None:
    first = values[0]
    if len(set(values)) == 1:
        return lambda at, phone: first
    if all(value == f'"{answer.phone}"' for value, answer in zip(values, answers, strict=True)):
        return lambda at, phone: f'"{phone}"'
    if len(set(values)) < len(values):
        return None  # what comes back, but not always, stands for something
    return _time(values, answers) or _id(values)


def _time(values: Sequence[str], answers: Sequence[Answer]) -> Part | None:
    """A time that is always about as far from that of its answer."""
    for form in _CLOCKS:
        try:
            times = [_read(value, form) for value in values]
            if any(_written(at, form) != text for at, text in zip(times, values, strict=True)):
                continue
        except (ValueError, OverflowError):
            continue
        ahead = [at - answer.at for at, answer in zip(times, answers, strict=True)]
        least, most = min(ahead), max(ahead)
        if most - least <= SPREAD and abs(least) < FAR:
            return lambda at, phone: _written(at + _chance.uniform(least, most), form)
    return None


def _read(value: str, form: str) -> float:
    return datetime.strptime(value, form).replace(tzinfo=UTC).timestamp() if form else int(value)


def _written(at: float, form: str) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(form) if form else str(int(at))


def _id(values: Sequence[str]) -> Part | None:
    """Random UUIDs (others are made of a time and a place), or as many digits, decimal or
    hexadecimal, behind a beginning that never changes."""
    if all(map(_UUID4.fullmatch, values)):
        return lambda at, phone: f'"{uuid.uuid4()}"'
    begin = commonprefix(list(values))  # noqa: RUF071 - of texts, not of paths
    rests = [value[len(begin) : -1] for value in values]
    length, used = len(rests[0]), set("".join(rests))
    if begin[:1] != '"' or length < SHORTEST_ID or any(len(rest) != length for rest in rests):
        return None
    fitting = [name for name in ("digits", "hex", "HEX") if used <= set(ALPHABETS[name])]
    return (lambda *_: f'{begin}{drawn(ALPHABETS[fitting[0]], length)}"') if fitting else None


async def _send(like: Answer, body: bytes, send: Send, gap: float) -> None:
    length = b"%d" % len(body)
    headers = [(n, length if n.lower() == LENGTH else v) for n, v in like.headers]
    await send({"type": "http.response.start", "status": like.status, "headers": headers})
    due = time.perf_counter() + gap
    while time.perf_counter() < due:
        pass  # some microseconds: an app has more to do between head and body than we have
    await send({"type": "http.response.body", "body": body, "more_body": False})
