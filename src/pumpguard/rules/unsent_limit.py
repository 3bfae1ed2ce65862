"""Attempts that send nothing: what they are charged is given back, so they have their own limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Self

from pumpguard.attempt import Attempt
from pumpguard.counters import EXACT_UP_TO, Reading, Unsent
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import Rule, check_dimensions, longest_full

UNSENT, UNSENT_PROVED = 30, 120
"""An hour. No source: without proof twice what an address may have sent (15: the common checklist),
a redirect and a correction for each; with proof as many as its ceiling."""


class UnsentLimit(Rule):
    """Limits attempts that were let through and sent nothing: redirects, forms with mistakes,
    numbers without an account, a provider that is down.

    ``limit`` in ``seconds`` for each of the dimensions in ``by``, then proof is asked for, and with
    proof ``proved_limit``. Never by the number, whose owner a stranger could lock out. ``earned``
    lets subjects whose users verify have up to so many times that.
    """

    name: str = "unsent_limit"
    by: Sequence[str] = ("network",)
    limit: int = UNSENT
    proved_limit: int = UNSENT_PROVED
    seconds: int = 3_600
    earned: int = 1
    ask_first: bool = True
    weight: float = 1.5
    declares_by = ()
    needs_outcomes = True

    @cached_property
    def _counters(self) -> tuple[tuple[Unsent, ...], tuple[Unsent, ...]]:
        """Without proof, and with it."""
        ordered = 1 <= self.limit <= self.proved_limit
        self.require(ordered, "limit", "1 to proved_limit", (self.limit, self.proved_limit))
        self.require(self.seconds > 0, "seconds", "at least 1")
        few = self.earned >= 1 and self.proved_limit * self.earned <= EXACT_UP_TO
        self.require(few, "earned", f"at least 1, and up to {EXACT_UP_TO} attempts with proof")
        path = f"rules.{self.name}.by"
        by = [check_dimensions(each, f"{path}.{i}") for i, each in enumerate(self.by)]
        self.require(bool(by), "by", "at least one dimension")
        asked = min(self.effect, Action.CHALLENGE) if self.ask_first else self.effect

        def counters(limit: int, action: Action) -> tuple[Unsent, ...]:
            return tuple(
                Unsent(self.name, each, limit, self.seconds, action, self.earned) for each in by
            )

        return counters(self.limit, asked), counters(self.proved_limit, self.effect)

    def without_challenge(self) -> Self:
        return replace(self, limit=self.proved_limit, ask_first=False)

    @property
    def earned_by(self) -> Sequence[str]:
        return list(self.by) if self.earned > 1 else []

    def counters(self, attempt: Attempt) -> Sequence[Unsent]:
        return self._counters[attempt.proved]

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        counter, reading = longest_full(self.counters(attempt), readings)
        if counter is None or reading is None:
            return None
        evidence = {"by": counter.by, "used": reading.used, "limit": counter.limit}
        return self.finding(
            "UNSENT_LIMIT",
            {**evidence, "seconds": counter.seconds},
            action=counter.action,
            retry_after=reading.wait,
            subject=attempt.subject(counter.by),
        )
