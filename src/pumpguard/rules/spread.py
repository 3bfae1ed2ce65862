"""One subject with too many values of something: devices of an address, domains of a session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Self

from pumpguard.attempt import Attempt
from pumpguard.counters import DISTINCT_UP_TO, Distinct, Reading
from pumpguard.decision import Action, Finding
from pumpguard.rules.base import ActionName, Rule, check_dimensions, first_full
from pumpguard.rules.challenge import UNASKED


class Spread(Rule):
    """Limits how many different values of the dimension ``of`` one subject may show in ``seconds``.

        Spread(name="devices", by="network", of="device", limit=8)

    Both may be any dimension, or several in combination, the policy's own included. ``code`` is
    what its findings are called. ``except_relays`` leaves out the addresses of relays, which people
    from everywhere share. The one of the default chain is ``country_spread``.
    """

    by: str | Sequence[str]
    of: str | Sequence[str]
    limit: int
    seconds: int = 86_400
    action: ActionName = "challenge"
    weight: float = 2.0
    code: str = "SPREAD"
    except_relays: bool = False
    declares_by = ("client_hidden",)

    @cached_property
    def _spread(self) -> tuple[Distinct]:
        path = f"rules.{self.name}"
        by, of = check_dimensions(self.by, f"{path}.by"), check_dimensions(self.of, f"{path}.of")
        self.require(1 <= self.limit <= DISTINCT_UP_TO, "limit", f"1 to {DISTINCT_UP_TO}")
        self.require(self.seconds > 0, "seconds", "at least 1")
        return (Distinct(self.name, by, self.limit, self.seconds, of, self.effect),)

    def without_challenge(self) -> Self:
        if self.effect is not Action.CHALLENGE:
            return self
        return replace(self, action="throttle", limit=min(UNASKED * self.limit, DISTINCT_UP_TO))

    def counters(self, attempt: Attempt) -> Sequence[Distinct]:
        return () if self.except_relays and attempt.client.kind == "relay" else self._spread

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        spread, reading = first_full(self._spread, readings)
        if spread is None or reading is None:
            return None
        evidence = {
            "by": spread.by, "of": spread.of, "used": reading.used,
            "limit": self.limit, "seconds": self.seconds,
        }  # fmt: skip
        subject = attempt.subject(spread.by)
        return self.finding(self.code, evidence, retry_after=reading.wait, subject=subject)
