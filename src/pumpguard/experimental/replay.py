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
from functools import partial
from typing import NamedTuple, TypeAlias

from starlette.types import Message, Scope, Send

from pumpguard.attempt import Attempt
from pumpguard.experimental.answer_shape import Answered, Asked, Part, shape_of, skeleton
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

logger = logging.getLogger("pumpguard")


class Shape(NamedTuple):
    """What answers made by the same code have in common."""

    status: int
    names: tuple[bytes, ...]
    trailing: bool
    between: tuple[str, ...]


class Kept:
    """What was learnt of one kind of request."""

    def __init__(self) -> None:
        self.latency = LatencyModel()
        self.gaps: deque[float] = deque(maxlen=KEPT)
        self._answers: deque[tuple[Shape, Answered, str]] = deque(maxlen=KEPT)
        self._known: dict[Shape, tuple[Part, int]] | None = None

    def add(self, shape: Shape, answer: Answered, network: str) -> None:
        """Keep one answer of each number and each network: who asks often must not look like
        everybody."""
        others = [
            old for old in self._answers if old[1].digits != answer.digits and old[2] != network
        ]
        self._answers = deque([*others, (shape, answer, network)], maxlen=KEPT)
        self._known = None

    def choose(self) -> tuple[Shape, Part] | None:
        """One of the shapes that are known well enough, as often as it came."""
        if self._known is None:
            self._known = {}
            for shape, times in Counter(shape for shape, _, _ in self._answers).items():
                alike = [answer for other, answer, _ in self._answers if other == shape]
                if times >= ALIKE and (make := shape_of(alike)) is not None:
                    self._known[shape] = make, times
        if not self._known:
            return None
        often = [times for _, times in self._known.values()]
        (shape,) = _chance.choices(list(self._known), often)
        return shape, self._known[shape][0]


class Replays:
    """Learns the answers of guarded routes, and answers shadows alike.

    Nothing that differs between real answers is repeated (`pumpguard.experimental.answer_shape`).
    A shadow takes as long as real answers of its kind take.
    """

    def __init__(self) -> None:
        self._kept: OrderedDict[Kind, Kept] = OrderedDict()
        self._sleep = PreciseSleep()

    def watch(
        self, scope: Scope, parameters: Mapping[str, str], attempt: Attempt, send: Send
    ) -> Send:
        """A ``send`` that learns from the answer to an admitted request."""
        return Recorder(send, partial(self._learn, kind_of(scope, parameters), attempt))

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
        found = kept and kept.choose()
        if not kept or not found:
            return False
        timing = kept.latency.draw(attempt.phone.region)
        if not simulated:
            await self._sleep.until(begun + timing.seconds)
        shape, make = found
        text = make(Asked(time.time(), attempt.phone.e164[1:], attempt.phone.national))
        await _answer(shape, text, send, _chance.choice(kept.gaps))
        return True

    def _learn(self, kind: Kind, attempt: Attempt, recorded: Recorder) -> None:
        """Keep a complete answer, if it may be understood."""
        network, text, phone = attempt.client.network, recorded.text(), attempt.phone
        if text is None or network is None or recorded.status not in SUCCESS:
            return
        kept = self._kept.pop(kind, None) or Kept()
        if len(self._kept) >= KINDS:
            self._kept.popitem(last=False)
        self._kept[kind] = kept
        names = tuple(name for name, _ in recorded.headers)
        shape = Shape(recorded.status, names, len(recorded.parts) > 1, skeleton(text))
        kept.add(shape, Answered(text, time.time(), phone.e164[1:], phone.national), network)
        kept.latency.add(recorded.seconds, phone.region)
        kept.gaps.append(min(recorded.gap, LONGEST_GAP))


class Recorder:
    """A ``send`` that passes messages on, and itself to ``learn`` when the answer is complete.

    ``seconds`` is the time to the head, ``gap`` from there to the body.
    """

    def __init__(self, send: Send, learn: Callable[[Recorder], None]) -> None:
        self._send = send
        self._learn = learn
        self._begun = time.perf_counter()
        self._head_sent = 0.0
        self._size = 0
        self.status = 0
        self.headers: tuple[tuple[bytes, bytes], ...] = ()
        self.parts: list[bytes] = []
        self.seconds = self.gap = 0.0

    async def __call__(self, message: Message) -> None:
        is_body = message["type"] == "http.response.body"
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = tuple((bytes(n), bytes(v)) for n, v in message.get("headers", ()))
            self.seconds = time.perf_counter() - self._begun
        elif is_body:
            part = message.get("body", b"")
            self.gap = self.gap or time.perf_counter() - self._head_sent
            self._size += len(part)
            if self._size <= LONGEST and len(self.parts) <= 2:
                self.parts.append(part)
        await self._send(message)
        self._head_sent = self._head_sent or time.perf_counter()
        if is_body and not message.get("more_body", False):
            try:
                self._learn(self)
            except Exception:
                logger.exception("PG025 shadow replay could not learn from an answer of the app")

    def text(self) -> str | None:
        """Headers and body as one text. ``None`` if it is too long, streamed, or no plain text."""
        if self._size > LONGEST or self.parts[1:] not in ([], [b""]):
            return None
        if any(name.lower() == b"content-encoding" for name, _ in self.headers):
            return None
        length = (b"content-length", b"%d" % self._size)
        values = [b"" if (name.lower(), value) == length else value for name, value in self.headers]
        try:
            parts = [value.decode("ascii") for value in values] + [self.parts[0].decode()]
        except UnicodeDecodeError:
            return None
        return None if any(NUL in part for part in parts) else NUL.join(parts)


def kind_of(scope: Scope, parameters: Mapping[str, str]) -> Kind:
    """What requests must have in common for their answers to be alike."""
    path = normal(scope["path"]).lower().split("/")
    pattern = "/".join("{}" if part in parameters.values() else part for part in path)
    cookies = any(name == b"cookie" for name, _ in scope["headers"])
    return pattern, scope["method"].upper(), cookies


async def _answer(shape: Shape, text: str, send: Send, gap: float) -> None:
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
