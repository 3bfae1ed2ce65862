"""Codes that are sent and never entered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from pumpguard.attempt import PREFIX, Attempt
from pumpguard.counters import Conversion as Watch
from pumpguard.counters import Counter, Pulse, Reading
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import ActionName, RegionalRule, action_of, check_dimensions

NARROW = ("phone", *(f"{PREFIX}{digits}" for digits in range(1, 5)))
"""What an attacker may own the whole of; larger blocks of numbers have other users too."""

HOUR = 3_600

PROOF_H, PROOF_MINIMUM, PROBES = 5.0, 8, 2
"""Of ``proof_by``: the alarm in nats and after how many sends; and how many of those who prove may
fail before the next. No source: eight unverified messages cost 3 dollars at most, and are one
chance in 25,000 where 72 % are verified."""

PROOF_REFUSED, PROOF_REFUSED_LONGEST = HOUR // 2, 8 * HOUR
"""Seconds for which proof buys nothing: a patient attacker spends his probes again after each."""

BETA = 3.0
"""Prior of the conversion rate that findings show: Beta(3, 3)."""


class Conversion(RegionalRule):
    """Refuses a subject whose messages are no longer verified.

    Each subject's matured sends run through a CUSUM between a healthy rate ``p0`` and a pumped one
    ``p1``; at ``h`` nats and ``minimum`` sends the subject is refused for ``refuse_for`` seconds
    and then judged anew. A send matures when it is older than nearly all verifications take, which
    the guard learns, and after ``seconds`` at the latest.

    Verifications that come too fast or too regularly, from one network, or for adjacent numbers
    are worth less, because who owns a range can read its codes. When verifications stop everywhere
    it is the provider that is down: that is said once (``PROVIDER_OUTAGE``) and refuses nobody.

    ``action`` is for blocks of numbers. Of a whole country or an address that many people may share
    ``wide_action`` asks for proof: to refuse those for a part of their traffic would do the
    attacker's work.

    Proofs are for sale. So ``proof_by`` is watched by degrees: a first alarm asks for proof there,
    and where those who prove do not enter their codes either, proof buys nothing for a while, and
    then a few are let through to see whether that has changed (half-open). Known numbers, and
    addresses whose users verify, go on. ``regions`` and ``except_regions`` are about this part.

    Sources: alarms below 30 to 35 % (Vonage, IronAuth, StartMessaging) over 20 sends (IronAuth);
    the test is Page's CUSUM, as in threshold random walk scan detection (Jung et al., 2004).

    Needs settlement: where verifications are never reported, the policy leaves this rule out.
    """

    by: Sequence[str] = ("prefix:3", "prefix:4", "prefix:6", "country", "network")
    p0: float = 0.5
    p1: float = 0.05
    h: float = 12.8
    minimum: int = 20
    seconds: int = 600
    refuse_for: int = 1_800
    action: ActionName = "block"
    wide_action: ActionName = "challenge"
    proof_by: Sequence[str] = ()
    weight: float = 2.0
    declares_by = ("country",)
    needs_verifications = True
    needs_outcomes = True

    @cached_property
    def _watched(self) -> tuple[Watch | Pulse, ...]:
        ordered = 0 < self.p1 < self.p0 < 1
        self.require(ordered, "p0", "0 < p1 < p0 < 1", (self.p0, self.p1))
        self.require(0 < self.h < 1_000, "h", "nats above 0, below 1000")
        self.require(self.minimum > 0, "minimum", "at least 1")
        self.require(self.seconds >= 12, "seconds", "at least 12")
        self.require(self.refuse_for > 0, "refuse_for", "at least 1")
        self.require(bool(self.by), "by", "at least one dimension")
        return (*(self._watch(by, i) for i, by in enumerate(self.by)), Pulse(self.name))

    def _watch(self, by: str, i: int) -> Watch:
        parts = by.split("+")
        narrow = any(part in NARROW for part in parts)
        return Watch(
            self.name, check_dimensions(parts, f"rules.{self.name}.by.{i}"), self.p0, self.p1,
            self.h, self.minimum, self.seconds, self.refuse_for,
            self.effect if narrow else action_of(self.wide_action),
        )  # fmt: skip

    @cached_property
    def _proofs(self) -> tuple[tuple[Watch | Pulse, ...], ...]:
        """All that is watched, for clients without proof and with it."""
        asks = tuple(self._by_degrees(by, i) for i, by in enumerate(self.proof_by))
        refuses = tuple(replace(each, proved=True, action=Action.THROTTLE) for each in asks)
        return (*self._watched, *asks), (*self._watched, *refuses)

    def _by_degrees(self, by: str, i: int) -> Watch:
        dimensions = check_dimensions(by.split("+"), f"rules.{self.name}.proof_by.{i}")
        return Watch(
            self.name, dimensions, self.p0, self.p1, PROOF_H, PROOF_MINIMUM, self.seconds,
            PROOF_REFUSED, Action.CHALLENGE, PROBES, PROOF_REFUSED_LONGEST,
        )  # fmt: skip

    @property
    def outcome_dimensions(self) -> Sequence[str]:
        return (*self.by, *self.proof_by)

    def counters(self, attempt: Attempt) -> Sequence[Watch | Pulse]:
        if self.proof_by and self.applies_to(attempt):
            # Where nobody can be asked, all are watched as those who prove.
            return self._proofs[attempt.proved or not self.asks]
        return self._watched

    def weighs(self, counter: Counter) -> bool:
        return isinstance(counter, Watch)  # an outage says nothing about the request

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        pairs = zip(self.counters(attempt), readings, strict=False)
        full = [(watch, reading) for watch, reading in pairs if reading.full]
        if not full:
            return None
        # One may only ask where another refuses.
        watch, reading = max(full, key=lambda pair: pair[0].action)
        if isinstance(watch, Pulse):
            since = {"since": reading.detail[1] / 1000 if len(reading.detail) > 1 else None}
            return self.finding("PROVIDER_OUTAGE", since, action=Action.ALLOW, weight=1.0)
        matured, verified = reading.detail if len(reading.detail) == 2 else (0, 0)
        rate = round((verified + BETA) / (matured + 2 * BETA), 3)
        return self.finding(
            "PROOF_LOST" if watch.probes else "CONVERSION_LOST",
            {
                "by": watch.by, "matured": matured, "verified": verified, "rate": rate,
                "score": reading.used / 1000, "limit": watch.h,
            },
            action=watch.action,
            retry_after=reading.wait,
            subject=attempt.subject(watch.by),
        )  # fmt: skip
