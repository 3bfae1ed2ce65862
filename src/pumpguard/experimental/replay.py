"""A shadow without the app: an answer in the shape of its recent real ones.

Experimental: our own adversary tells whole sessions apart, with an area under the curve of 0.65
(0.5 is guessing; ``docs/shadow.md``).
"""

from __future__ import annotations

import logging
import random
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeAlias

from starlette.types import Message, Scope, Send

from pumpguard.attempt import Attempt
from pumpguard.experimental.answer_shape import Asked, Said, shape_of, skeleton
from pumpguard.intake.routes import normal
from pumpguard.shadow.latency import LatencyModel, PreciseSleep

ALIKE = 8
"""Answers of one shape that it takes, each to another phone and another network: what eight
strangers were all told is nobody's own."""

KEPT, LONGEST, KINDS = 64, 16_384, 32
"""Answers kept of each kind of request, their longest in bytes, and kinds."""

LONGEST_GAP = 2e-4
"""Seconds between an answer's head and its body, that others may be kept waiting for."""

SUCCESS = range(200, 300)
NUL = "\0"

_chance = random.SystemRandom()

Kind: TypeAlias = tuple[str, str, bool]
"""Path, method, and whether the request brought cookies: who brings one is often given none."""

Maker: TypeAlias = Callable[[Asked], str]

logger = logging.getLogger("pumpguard")


class Shape(NamedTuple):
    """What answers made by the same code have in common."""

    status: int
    names: tuple[bytes, ...]
    trailing: bool
    between: tuple[str, ...]


class Answer(NamedTuple):
    """A real answer: its shape, its words, and who must not be the only one it was given to."""

    shape: Shape
    said: Said
    network: str


class Kept:
    """What was learnt of one kind of request."""

    def __init__(self) -> None:
        self.pace = LatencyModel()
        self.gaps: deque[float] = deque(maxlen=KEPT)
        self._answers: deque[Answer] = deque(maxlen=KEPT)
        self._makers: dict[Shape, Maker] | None = None
        self._often: Counter[Shape] = Counter()

    def add(self, answer: Answer) -> None:
        """Keep one answer of each number and each network: who asks often must not look like
        everybody."""
        alike = [
            old
            for old in self._answers
            if old.said.digits == answer.said.digits or old.network == answer.network
        ]
        for old in alike:
            self._answers.remove(old)
        self._answers.append(answer)
        self._makers = None

    def maker(self) -> tuple[Shape, Maker] | None:
        """One of the shapes that are known well enough, as often as it came."""
        if self._makers is None:
            self._makers = self._understood()
        if not self._makers:
            return None
        often = [self._often[shape] for shape in self._makers]
        (shape,) = _chance.choices(list(self._makers), often)
        return shape, self._makers[shape]

    def _understood(self) -> dict[Shape, Maker]:
        self._often = Counter(answer.shape for answer in self._answers)
        found = {}
        for shape, times in self._often.items():
            if times >= ALIKE:
                make = shape_of([a.said for a in self._answers if a.shape == shape])
                if make is not None:
                    found[shape] = make
        return found


class Replays:
    """Learns the answers of guarded routes, and answers shadows alike.

    Nothing that differs between real answers is repeated
    (`pumpguard.experimental.answer_shape`). A shadow takes as long as real answers
    of its kind take.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Kind, Kept] = OrderedDict()
        self._rest = PreciseSleep()

    def watch(
        self, scope: Scope, parameters: Mapping[str, str], attempt: Attempt, send: Send
    ) -> Send:
        """A ``send`` that learns from the answer to an admitted request."""
        return Learning(self, kind_of(scope, parameters), attempt, send)

    def learn(self, kind: Kind, attempt: Attempt, answer: Heard, seconds: float) -> None:
        """Keep a complete answer, if it may be understood."""
        network, text = attempt.client.network, answer.text()
        if text is None or network is None or answer.status not in SUCCESS:
            return
        kept = self._kept.pop(kind, None) or Kept()
        if len(self._kept) >= KINDS:
            self._kept.popitem(last=False)
        self._kept[kind] = kept
        names = tuple(name for name, _ in answer.headers)
        shape = Shape(answer.status, names, answer.trailing, skeleton(text))
        said = Said(text, answer.at, attempt.phone.e164[1:], attempt.phone.national)
        kept.add(Answer(shape, said, network))
        kept.pace.add(seconds, attempt.phone.region)
        kept.gaps.append(min(answer.gap, LONGEST_GAP))

    async def reply(
        self,
        scope: Scope,
        parameters: Mapping[str, str],
        attempt: Attempt,
        send: Send,
        *,
        simulated: bool,
    ) -> bool:
        """Answer as the app would, or say that nobody knows how yet."""
        begun = time.perf_counter()
        kept = self._kept.get(kind_of(scope, parameters))
        found = kept and kept.maker()
        if not kept or not found:
            return False
        took = kept.pace.draw(attempt.phone.region)
        if not simulated:
            await self._rest.until(begun + took.seconds)
        shape, make = found
        text = make(Asked(time.time(), attempt.phone.e164[1:], attempt.phone.national))
        await _say(shape, text, send, _chance.choice(kept.gaps))
        return True


class Heard(NamedTuple):
    """An answer as the app sent it, at a Unix time."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    trailing: bool
    at: float
    gap: float = 0.0
    """Seconds from the head to the body."""

    def text(self) -> str | None:
        """Headers and body as one text, or ``None`` if this is no plain text."""
        lengths = (b"content-length", b"%d" % len(self.body))
        named = [b"" if (name.lower(), value) == lengths else value for name, value in self.headers]
        if any(name.lower() == b"content-encoding" for name, _ in self.headers):
            return None
        try:
            parts = [value.decode("ascii") for value in named] + [self.body.decode("utf-8")]
        except UnicodeDecodeError:
            return None
        return None if any(NUL in part for part in parts) else NUL.join(parts)


class Learning:
    """A ``send`` that keeps what passes through it, and hands it on when it is complete."""

    def __init__(self, replays: Replays, kind: Kind, attempt: Attempt, send: Send) -> None:
        self._replays = replays
        self._kind = kind
        self._attempt = attempt
        self._send = send
        self._begun = time.perf_counter()
        self._seconds = 0.0
        self._start: Message | None = None
        self._headers: tuple[tuple[bytes, bytes], ...] = ()
        self._bodies: list[bytes] = []
        self._size = 0
        self._headed = self._gap = 0.0

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self._start = message
            self._headers = tuple((bytes(n), bytes(v)) for n, v in message.get("headers", ()))
            self._seconds = time.perf_counter() - self._begun
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            self._gap = self._gap or time.perf_counter() - self._headed
            self._size += len(body)
            if self._size <= LONGEST and len(self._bodies) <= 2:
                self._bodies.append(body)
        await self._send(message)
        self._headed = self._headed or time.perf_counter()
        over = message["type"] == "http.response.body" and not message.get("more_body", False)
        if over and self._start is not None:
            self._complete(self._start)

    def _complete(self, start: Message) -> None:
        first, *others = self._bodies or [b""]
        if self._size > LONGEST or others not in ([], [b""]):
            return  # too long, or streamed
        heard = Heard(start["status"], self._headers, first, bool(others), time.time(), self._gap)
        try:
            self._replays.learn(self._kind, self._attempt, heard, self._seconds)
        except Exception:
            logger.exception('PG025 could not learn from an answer of the app (shadow = "replay")')


def kind_of(scope: Scope, parameters: Mapping[str, str]) -> Kind:
    """What requests must have in common for their answers to be alike."""
    named = frozenset(parameters.values())
    path = normal(scope["path"]).lower().split("/")
    cookies = any(name == b"cookie" for name, _ in scope["headers"])
    return (
        "/".join("{}" if part in named else part for part in path),
        scope["method"].upper(),
        cookies,
    )


async def _say(shape: Shape, text: str, send: Send, gap: float) -> None:
    *values, body = text.split(NUL)
    raw = body.encode()
    headers = [
        (name, b"%d" % len(raw) if name.lower() == b"content-length" else value.encode("ascii"))
        for name, value in zip(shape.names, values, strict=True)
    ]
    await send({"type": "http.response.start", "status": shape.status, "headers": headers})
    due = time.perf_counter() + gap
    while time.perf_counter() < due:
        pass  # some microseconds: an app has more to do between head and body than we have
    await send({"type": "http.response.body", "body": raw, "more_body": shape.trailing})
    if shape.trailing:
        await send({"type": "http.response.body", "body": b"", "more_body": False})
