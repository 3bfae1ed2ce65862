"""Strikes in a sliding window lead to a ban; repeat offenders wait longer each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Literal, Self

from pumpguard.attempt import PREFIX, Attempt
from pumpguard.counters import Ban, Reading
from pumpguard.counters.base import DESTINATIONS
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import (
    ActionName,
    Rule,
    check_dimensions,
    check_earned,
    first_full,
    parse_limits,
)
from pumpguard.rules.challenge import UNASKED, widened

DAY = 86_400


class SlidingBan(Rule):
    """Bans a subject that gathers ``strikes`` (``"10/hour"``) for ``base × factor^level`` seconds,
    from the request that completes them on.

    ``after`` names the rules whose refusals are strikes; without it every request counts, refused
    or not: that is the shape of a burst. A challenge that is put to a client is no strike, unless
    ``challenges`` says so: with ``spare_proved`` and the action ``challenge``, clients that were
    asked for proof keep being asked. The level rises with every ban, and falls by one for each
    ``memory`` seconds after its end.

    With ``spare_proved``, requests that carry a solved challenge give no strikes: a crowd behind
    one address proves itself instead of being banned. ``earned`` lets subjects whose users verify
    have up to so many times the strikes (`pumpguard.outcomes.Outcomes`), and with ``yields`` such a
    ban does not stand while they have headroom: a crowd is let go once it turns out to be people.
    With ``except_known`` it does not stand for numbers that have verified before, nor for proof
    from where users verify (`pumpguard.counters.Known`).

    The subject is where requests come from, by default the client's network: what a refused
    request points at, such as a number or a block, anybody can point at, and lock its people out.
    A ban may be kept by both (``by=["network", "prefix:3"]``). It lasts ``cap`` seconds at most,
    and by up to the share ``jitter`` less or more, at random.

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
    except_known: bool = False
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
        self.require(0 < self.memory < 2**32, "memory", "1 or more, below 2^32 seconds")
        self.require(0 <= self.jitter < 1, "jitter", "0 or more, below 1")
        strikes = parse_limits(self.strikes, f"{path}.strikes")
        self.require(len(strikes) == 1, "strikes", "one limit")
        check_earned(self.earned, strikes[0][0], self.name)
        by = check_dimensions(self.by, f"{path}.by")
        anybodys = {*DESTINATIONS, "everything"}
        pointed_at = all(part in anybodys or part.startswith(PREFIX) for part in by.split("+"))
        expected = (
            "where requests come from (network, session, …), alone or with a block of numbers"
        )
        self.require(not pointed_at, "by", expected)
        fed_by: Literal["attempts"] | frozenset[str] = frozenset(self.after) or "attempts"
        ban = Ban(
            self.name, by, *strikes[0], fed_by, self.base, self.factor, self.cap, self.memory,
            self.jitter, self.effect, self.earned, self.challenges, self.yields, self.except_known,
        )  # fmt: skip
        return (ban,)

    @cached_property
    def _if_proved(self) -> tuple[Ban]:
        return (replace(self._ban[0], fed_by=frozenset()),) if self.spare_proved else self._ban

    def without_challenge(self) -> Self:
        if self.effect is not Action.CHALLENGE or self.challenges:
            return self
        strikes = widened(self.strikes, UNASKED, f"rules.{self.name}.strikes")
        return replace(self, action="throttle", strikes=strikes)

    @property
    def ban(self) -> Ban:
        """What it counts."""
        return self._ban[0]

    @property
    def earned_by(self) -> Sequence[str]:
        return [self._ban[0].by] if self.earned > 1 else []

    def counters(self, attempt: Attempt) -> Sequence[Ban]:
        return self._if_proved if attempt.proved else self._ban

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        ban, reading = first_full(self._ban, readings)
        if ban is None or reading is None:
            return None
        evidence = {"by": ban.by, "level": reading.used, "strikes": self.strikes}
        subject = attempt.subject(ban.by)
        return self.finding(self.code, evidence, retry_after=reading.wait, subject=subject)


class ShadowBan(SlidingBan):
    """A ban that its subject cannot see: the app answers as always, and nothing is sent.

    An attacker who sees a refusal moves on to the next prefix or address within seconds; one who
    does not keeps spending requests on numbers that receive nothing. A real user under a shadow
    waits for a code in vain, so it is kept narrow: an address, and a block of 1,000 numbers; and
    it does not stand for known numbers, nor for proof from where users verify.
    """

    by: str | Sequence[str] = ("network", "prefix:3")
    except_known: bool = True
    base: int = 3600
    cap: int = DAY
    action: ActionName = "shadow"
    code = "SHADOW_BANNED"
