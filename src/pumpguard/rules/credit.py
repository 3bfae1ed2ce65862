"""Lines of credit in dollars: what a subject may cost before any of it was verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Self

from pumpguard.attempt import Attempt
from pumpguard.counters import Credit as Line
from pumpguard.counters import Reading, Retyped, micros
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import (
    HIGH_RISK,
    RegionalRule,
    check_dimensions,
    longest_full,
    only_asking,
)

DAY = 86_400

LINES: Mapping[str, float] = MappingProxyType(
    {"prefix:3": 0.75, "prefix:4": 2.0, "country": 20.0, "network": 5.0}
)
"""USD that an unknown subject starts with: a block of 1,000 numbers, one of 10,000, a country, an
address. Authgear lets 20 unverified messages a day to a country and 10 to an address, which is of
the same order at the prices of the countries that are attacked; two to somebody who gets no code
cost up to 72 cents."""

SESSION_LINE = 1.0
"""USD for a session, where the policy says where sessions stand."""


class Credit(RegionalRule):
    """Refuses a subject whose unverified messages have used up its line of credit.

    ``lines`` gives the USD per dimension that every subject starts with. A message spends its
    price, and its verification pays it back. A line grows with what was verified: ``ratio`` times
    the best day of the last 14 (Authgear's 0.3), and debts are forgiven evenly, a whole line in
    ``seconds``. So an attack that nobody verifies costs at most the lines it can reach, before
    anything has been learnt about it. ``high_risk_factor`` scales the lines of the regions in
    ``high_risk``, except those of networks. Somebody who gets no code asks again: two more messages
    to the same number go beyond the line. With ``yields`` they have half of it instead, so that
    the last of a wide line goes to people who have had no message yet; and such a line that only
    asks for proof lets those alone who come from where users verify. With ``vouches`` a
    verification pays back that many times its price more of what others owe: a crowd of which most
    verify, as people do, leaves no debt, however large it is.

    Beside each line ``reserved`` times as much is kept for customers (`pumpguard.counters.Known`),
    and unless it yields half of that for known numbers, whoever asks for them, and for proof from
    addresses whose users verify: nobody else's messages use that up.

    Where nobody can be asked for proof, a line that only asks refuses at ``unasked`` times its
    amount, and whom it would not have asked it does not refuse; without that it is only recorded.

    With ``mistyped`` (a dimension, such as ``"prefix:3"``) the same holds for what a client owes
    for the last number that it has asked for in the same block: people mistype
    (`pumpguard.counters.Retyped`).

    Needs settlement: where verifications are never reported, the policy leaves this rule out.
    """

    lines: Mapping[str, float] = field(default_factory=lambda: LINES)
    ratio: float = 0.3
    seconds: int = DAY
    high_risk_factor: float = 1.0
    high_risk: Sequence[str] = HIGH_RISK
    ask_first: bool = False
    needs_challenge: bool = False
    yields: bool = False
    reserved: float = 0.0
    vouches: float = 0.0
    unasked: float = 0.0
    mistyped: str = ""
    weight: float = 2.0
    declares_by = ("country",)
    needs_verifications = True
    needs_outcomes = True

    @cached_property
    def _usual(self) -> tuple[Line, ...]:
        self.require(bool(self.lines), "lines", "at least one line", dict(self.lines))
        self.require(0 <= self.ratio <= 1, "ratio", "0 to 1")
        self.require(self.seconds > 0, "seconds", "at least 1")
        self.require(0 <= self.reserved <= 10, "reserved", "0 to 10")
        self.require(0 <= self.vouches <= 10, "vouches", "0 to 10")
        for by, usd in self.lines.items():
            check_dimensions(by.split("+"), f"rules.{self.name}.lines.{by}")
            self.require(0 < usd < 1e7, f"lines.{by}", "USD above 0, below 10,000,000", usd)
        return self._lines(1.0)

    @cached_property
    def _risky(self) -> tuple[Line, ...]:
        factor = self.high_risk_factor
        self.require(0 < factor <= 1, "high_risk_factor", "a factor above 0, up to 1")
        return self._lines(factor)

    @cached_property
    def _asking(self) -> tuple[tuple[Line, ...], ...]:
        return only_asking(self._usual), only_asking(self._risky)

    def _lines(self, factor: float) -> tuple[Line, ...]:
        amounts = {by: usd if by == "network" else usd * factor for by, usd in self.lines.items()}
        asks = self.effect <= Action.CHALLENGE or self.unasked > 0
        shape = (
            self.seconds, self.ratio, self.effect, self.yields, self.reserved, self.vouches,
            self.yields and asks,
        )  # fmt: skip
        return tuple(Line(self.name, by, micros(usd), *shape) for by, usd in amounts.items())

    @cached_property
    def _retyped(self) -> tuple[Retyped, ...]:
        if not self.mistyped:
            return ()
        of = check_dimensions(self.mistyped, f"rules.{self.name}.mistyped")
        return (Retyped(self.name, of),)

    @cached_property
    def _declared(self) -> tuple[tuple[Line | Retyped, ...], ...]:
        """For countries of usual risk and of high risk, first with proof and then without."""
        proved = (self._usual, self._risky)
        alone = self._asking if self.ask_first else proved
        return tuple((*lines, *self._retyped) for lines in (*proved, *alone))

    def without_challenge(self) -> Self:
        if not self.unasked or self.effect is not Action.CHALLENGE:
            return self
        lines = {by: usd * self.unasked for by, usd in self.lines.items()}
        return replace(self, lines=lines, action="throttle", needs_challenge=False)

    @property
    def outcome_dimensions(self) -> Sequence[str]:
        return tuple(self.lines)

    def counters(self, attempt: Attempt) -> Sequence[Line | Retyped]:
        if not self.applies_to(attempt):
            return ()
        risky = attempt.phone.region in self.high_risk
        return self._declared[risky + 2 * (not attempt.proved)]

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        line, reading = longest_full(self.counters(attempt), readings)
        if not isinstance(line, Line) or reading is None:
            return None
        granted = reading.detail[0] if reading.detail else line.limit
        return self.finding(
            "CREDIT_SPENT",
            {"by": line.by, "unverified": reading.used / 1e6, "line": granted / 1e6},
            action=line.action,
            retry_after=reading.wait,
            subject=attempt.subject(line.by),
        )
