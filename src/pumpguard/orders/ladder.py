"""The ladder: alerts may make the whole fleet stricter by themselves, and calm undoes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pumpguard.config import check, join
from pumpguard.decision import ALERTING
from pumpguard.errors import PolicyError
from pumpguard.orders.posture import Posture

PATH = "ladder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """Steps up when a finding with a code in ``on`` is made, one rung at a time.

    A rung is held for ``hold`` seconds before the next, up to ``highest``. After ``calm`` seconds
    without such a finding it steps down one rung, and so on. A person's order is never overridden:
    while one stands, there are no steps.

    Source: a spike of sends as the reason to turn on "hard CAPTCHA mode" is the common checklist's
    kill switch; ``hold`` is half its window of 10 minutes, ``calm`` one and a half, so that a spike
    has left the window before anything is relaxed.
    """

    highest: Literal["challenge_all", "known_only", "closed"] = "challenge_all"
    on: Sequence[str] = ("SEND_SPIKE",)
    hold: float = 300.0
    calm: float = 900.0

    def __post_init__(self) -> None:
        check(self, PATH)
        for name in ("hold", "calm"):
            if not 1 <= getattr(self, name) <= 604_800:
                raise PolicyError(join(PATH, name), "seconds, 1 to a week", getattr(self, name))
        for i, code in enumerate(self.on):
            if code not in ALERTING:
                raise PolicyError(join(PATH, f"on.{i}"), f"one of {', '.join(ALERTING)}", code)
        if not self.on:
            raise PolicyError(join(PATH, "on"), "at least one code", self.on)

    def climbed(self, step: Step | None, now: float, code: str) -> Step | None:
        """The step after a finding, or ``None`` if it changes nothing that has to be written."""
        if step is None or (standing := step.standing(now)) is Posture.NORMAL:
            return Step(
                posture=Posture.CHALLENGE_ALL, since=now, heard=now, calm=self.calm, code=code
            )
        reached = step.reached(now)
        if standing < Posture[self.highest.upper()] and now - reached >= self.hold:
            return replace(step, posture=Posture(standing + 1), since=now, heard=now, code=code)
        # That it goes on is written now and then only.
        if standing < step.posture or now - step.heard >= self.calm / 4:
            return replace(step, posture=standing, since=reached, heard=now, code=code)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A rung taken automatically: ``since`` when, when the last reason was ``heard`` (Unix
    seconds), its ``code``, and after how many seconds of ``calm`` each rung is given up.

    The way down follows from these, so every process goes it without being told.
    """

    posture: Posture
    since: float
    heard: float
    calm: float
    code: str

    def standing(self, now: float) -> Posture:
        """The rung at a time; ``normal`` when all is calm again."""
        return Posture(max(Posture.NORMAL, self.posture - self._given_up(now)))

    def reached(self, now: float) -> float:
        """Since when that rung has been the one."""
        given_up = self._given_up(now)
        return self.heard + given_up * self.calm if given_up else self.since

    def _given_up(self, now: float) -> int:
        return max(0, int((now - self.heard) // self.calm))
