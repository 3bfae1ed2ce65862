"""Strikes in a sliding window lead to a ban; repeat offenders wait longer each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from pumpguard.attempt import Attempt
from pumpguard.counters import Ban, Reading
from pumpguard.decision import Finding
from pumpguard.rules.base import ActionName, Rule, first_full
from pumpguard.rules.limits_notation import check_dimensions, check_earned, parse_limits

DAY = 86_400


class SlidingBan(Rule):
    """Bans a subject that gathers ``strikes`` (``"10/hour"``) for ``base × factor^level`` seconds.

    ``after`` names the rules whose refusals are strikes; without it every request counts, refused
    or not: that is the shape of a burst. A challenge that is put to a client is no strike, unless
    ``challenges`` says so: with ``spare_proved`` and the action ``challenge``, clients that were
    asked for proof keep being asked. The level rises with every ban, and falls by one for each
    ``memory`` seconds after its end. With ``needs_challenge``, the rule only records where no
    challenge could be posed.

    With ``spare_proved``, requests that carry a solved challenge give no strikes: a crowd behind
    one address proves itself instead of being banned. ``earned`` lets subjects whose users verify
    have up to so many times the strikes (`pumpguard.outcomes.Outcomes`), and with ``yields`` such a
    ban does not stand while they have headroom: a crowd is let go once it turns out to be people.

    By default the subject is the client's network, never the phone: a ban on a number would let
    anybody lock its owner out.

    Sources: growth and random spread as in fail2ban's ``bantime.increment`` and ``rndtime``.
    """

    strikes: str
    by: str | Sequence[str] = "network"
    after: Sequence[str] = ()
    base: int = 600
    factor: float = 5.0
    cap: int = 7 * DAY
    memory: int = DAY
    jitter: float = 0.2
    spare_proved: bool = False
    challenges: bool = False
    needs_challenge: bool = False
    yields: bool = False
    earned: int = 1
    action: ActionName = "block"
    weight: float = 2.0
    declares_by = ()
    code: ClassVar[str] = "BANNED"

    @cached_property
    def _ban(self) -> tuple[Ban]:
        path = f"rules.{self.name}"
        self.require(0 < self.base <= self.cap, "base", "1 to cap seconds")
        self.require(self.cap < 2**32, "cap", "below 2^32 seconds")
        self.require(self.factor >= 1, "factor", "at least 1", self.factor)
        self.require(0 < self.memory < 2**32, "memory", "1 to 2^32 seconds")
        self.require(0 <= self.jitter < 1, "jitter", "0 to 1")
        strikes = parse_limits(self.strikes, f"{path}.strikes")
        self.require(len(strikes) == 1, "strikes", "one limit")
        check_earned(self.earned, strikes[0][0], self.name)
        ban = Ban(
            self.name,
            check_dimensions(self.by, f"{path}.by"),
            *strikes[0],
            fed_by=frozenset(self.after) if self.after else "attempts",
            base=self.base,
            factor=self.factor,
            cap=self.cap,
            memory=self.memory,
            jitter=self.jitter,
            action=self.effect,
            max_factor=self.earned,
            challenges=self.challenges,
            yields=self.yields,
        )
        return (ban,)

    @cached_property
    def _spared(self) -> tuple[Ban]:
        """The ban as it is for requests that carry proof."""
        return (replace(self._ban[0], fed_by=frozenset()),) if self.spare_proved else self._ban

    @property
    def earned_by(self) -> Sequence[str]:
        """What it is kept by, if verifications earn headroom."""
        return [self._ban[0].by] if self.earned > 1 else []

    def counters(self, attempt: Attempt) -> Sequence[Ban]:
        """One ban per subject."""
        return self._spared if attempt.proved else self._ban

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding while the ban lasts, the request that completed the strikes included."""
        ban, reading = first_full(self._ban, readings)
        if ban is None or reading is None:
            return None
        evidence = {"by": ban.by, "level": reading.used, "strikes": self.strikes}
        subject = attempt.subject(ban.by)
        return self.finding(self.code, evidence, retry_after=reading.wait, subject=subject)
