"""The posture: how strict the whole fleet is, or is towards one country; and its escalation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Literal

from pumpguard.alerts import ALERTING
from pumpguard.config import check, require

PATH = "escalation"

EVERYWHERE = ""
"""The key of the posture that holds for all countries."""


class Posture(IntEnum):
    """How strict to be, from mildest to strictest.

    ``observe`` judges and records and enforces nothing, budgets neither. ``normal`` is the policy.
    ``challenge_all`` asks everybody for proof. ``known_only`` lets through numbers that have
    verified before, by the policy. ``closed`` lets nobody through.
    """

    OBSERVE = 0
    NORMAL = 1
    CHALLENGE_ALL = 2
    KNOWN_ONLY = 3
    CLOSED = 4

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostureOverride:
    """A posture that a person has set: who, when (``at``, Unix seconds), why, and until when.

    After ``until`` the posture is ``then``; with ``then`` ``normal``, the override is over.
    """

    posture: Posture
    author: str
    at: float
    reason: str = ""
    until: float | None = None
    then: Posture = Posture.NORMAL

    def in_force(self, now: float) -> Posture | None:
        """The posture that it sets at a time, or ``None`` if it sets none.

        ``normal`` without an end sets none: escalation may step up. With an end, it keeps
        escalation from stepping up until then.
        """
        if self.until is not None and now < self.until:
            return self.posture
        posture = self.posture if self.until is None else self.then
        return None if posture is Posture.NORMAL else posture


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A posture that escalation has reached, and when (``since``); the last finding that called
    for it (``code``) and its time (``last_seen``, Unix seconds); and the seconds of ``calm`` after
    which each step is undone.

    The way down follows from these fields, so every process takes it without any message.
    """

    posture: Posture
    since: float
    last_seen: float
    calm: float
    code: str

    def posture_at(self, now: float) -> Posture:
        """The posture at a time; ``normal`` when all steps are undone."""
        return Posture(max(Posture.NORMAL, self.posture - self._steps_undone(now)))

    def reached_at(self, now: float) -> float:
        """The time since which `posture_at` has been the posture, in Unix seconds."""
        undone = self._steps_undone(now)
        return self.last_seen + undone * self.calm if undone else self.since

    def _steps_undone(self, now: float) -> int:
        return max(0, int((now - self.last_seen) // self.calm))


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Makes the posture one step stricter when a finding with a code in ``on`` is made.

    The next step is taken ``pause`` seconds later at the earliest, up to ``highest``. After every
    ``calm`` seconds without such a finding the posture goes down one step. It never overrides a
    person: while somebody has set the fleet's posture, there are no steps.

    Source: a spike of sends as the reason to turn on "hard CAPTCHA mode" is the common checklist's
    kill switch; ``pause`` is half its window of 10 minutes, ``calm`` one and a half, so that a
    spike has left the window before anything is relaxed.
    """

    highest: Literal["challenge_all", "known_only", "closed"] = "challenge_all"
    on: Sequence[str] = ("SEND_SPIKE",)
    pause: float = 300.0
    calm: float = 900.0

    def __post_init__(self) -> None:
        check(self, PATH)
        for name in ("pause", "calm"):
            seconds = getattr(self, name)
            require(1 <= seconds <= 604_800, f"{PATH}.{name}", "seconds, 1 to a week", seconds)
        for i, code in enumerate(self.on):
            require(code in ALERTING, f"{PATH}.on.{i}", f"one of {', '.join(ALERTING)}", code)
        require(self.on, f"{PATH}.on", "at least one code", self.on)

    def next_step(self, step: Step | None, now: float, code: str) -> Step | None:
        """The step after a finding with this code, or ``None`` if nothing has to be written."""
        if step is None or (posture := step.posture_at(now)) is Posture.NORMAL:
            first = Posture.CHALLENGE_ALL
            return Step(posture=first, since=now, last_seen=now, calm=self.calm, code=code)
        reached = step.reached_at(now)
        if posture < Posture[self.highest.upper()] and now - reached >= self.pause:
            return replace(step, posture=Posture(posture + 1), since=now, last_seen=now, code=code)
        # That the reason continues is written only every quarter of `calm`.
        if posture < step.posture or now - step.last_seen >= self.calm / 4:
            return replace(step, posture=posture, since=reached, last_seen=now, code=code)
        return None
