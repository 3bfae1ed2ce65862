"""Strikes in a sliding window lead to a ban; repeat offenders wait longer each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pumpguard.attempt import Attempt
from pumpguard.config import check
from pumpguard.counters import Ban, Reading
from pumpguard.decision import Finding, Mode
from pumpguard.rules.base import ActionName, action_of, require
from pumpguard.rules.limits_notation import check_dimensions, check_earned, parse_limits

DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class SlidingBan:
    """Bans a subject that gathers ``strikes`` (``"10/hour"``) for ``base × factor^level`` seconds.

    ``after`` names the rules whose refusals are strikes; a challenge that is put to a client is
    none, unless ``challenges`` says so: with ``spare_proved`` and the action ``challenge``, who was
    asked for proof is asked from then on. With ``needs_challenge``, the rule only records where no
    challenge could be posed. Without ``after``, every request counts, refused or not: that is the
    shape of a burst. The level rises with every ban, and falls by one for each ``memory`` seconds
    after its end.

    With ``spare_proved``, requests that carry a solved challenge give no strikes: a crowd behind
    one address proves itself instead of being banned. ``earned`` lets subjects whose users verify
    have up to so many times the strikes (`pumpguard.rules.EarnedTrust`), and with ``yields`` such a
    ban does not stand while they do: a crowd is let go as soon as it turns out to be people.

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
    name: str = "sliding_ban"
    mode: Mode = "enforce"
    action: ActionName = "block"
    weight: float = 2.0
    declares_by: ClassVar[Sequence[str]] = ()
    _ban: tuple[Ban, ...] = field(init=False, repr=False)
    _spared: tuple[Ban, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        path = f"rules.{self.name}"
        check(self, path)
        require(0 < self.base <= self.cap, self.name, "base", "1 to cap seconds", self.base)
        require(self.cap < 2**32, self.name, "cap", "below 2^32 seconds", self.cap)
        require(self.factor >= 1, self.name, "factor", "at least 1", self.factor)
        require(0 < self.memory < 2**32, self.name, "memory", "1 to 2^32 seconds", self.memory)
        require(0 <= self.jitter < 1, self.name, "jitter", "0 to 1", self.jitter)
        strikes = parse_limits(self.strikes, f"{path}.strikes")
        require(len(strikes) == 1, self.name, "strikes", "one limit", self.strikes)
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
            action=action_of(self.action),
            max_factor=self.earned,
            challenges=self.challenges,
            yields=self.yields,
        )
        object.__setattr__(self, "_ban", (ban,))
        spared = replace(ban, fed_by=frozenset()) if self.spare_proved else ban
        object.__setattr__(self, "_spared", (spared,))

    @property
    def earns(self) -> Sequence[str]:
        """Whose verifications make room."""
        return [self._ban[0].by] if self.earned > 1 else []

    def counters(self, attempt: Attempt) -> Sequence[Ban]:
        """One ban per subject."""
        return self._spared if attempt.proved else self._ban

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        """A finding while the ban lasts, the request that completed the strikes included."""
        if not readings or not readings[0].full:
            return None
        return Finding(
            self.name,
            action_of(self.action),
            self.code,
            {"by": self._ban[0].by, "level": readings[0].used, "strikes": self.strikes},
            retry_after=readings[0].wait,
            weight=self.weight,
            subject=attempt.subject(self._ban[0].by),
            mode=self.mode,
        )

    @property
    def code(self) -> str:
        """The reason code of this rule's findings."""
        return "BANNED"
