"""Findings, and the one decision that they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import IntEnum
from math import prod
from typing import Literal

from pumpguard.attempt import Attempt
from pumpguard.facts import facts
from pumpguard.masking import masked_number

Mode = Literal["enforce", "monitor", "off"]
"""How a rule counts: acted on, only judged and recorded, or not asked at all."""

Enforced = Literal["all", "budgets", "nothing"]
"""What may refuse an attempt: all rules, or only the caps on money, or nothing. The rest is judged
and recorded as if its rules were in the mode ``monitor``."""


class Action(IntEnum):
    """What to do with a request, from mildest to strictest."""

    ALLOW = 0
    CHALLENGE = 1
    THROTTLE = 2
    BLOCK = 3
    SHADOW = 4

    def __str__(self) -> str:
        return self.name.lower()


def met(action: Action, proved: bool) -> bool:
    """Whether all that is asked for is proof, and it was given."""
    return action is Action.ALLOW or (action is Action.CHALLENGE and proved)


@facts(frozen=True, slots=True)
class Finding:
    """One rule's reason to be suspicious.

    ``code`` is stable and machine-readable (``PREFIX_SURGE``), ``evidence`` the numbers behind it,
    ``retry_after`` seconds until the same request could pass, ``weight`` its factor in a risk
    score. ``subject`` is what it was found about, such as a prefix; it may be personal data.
    """

    rule: str
    action: Action
    code: str
    evidence: Mapping[str, object] = field(default_factory=dict)
    retry_after: float | None = None
    weight: float = 1.0
    subject: str | None = None
    mode: Mode = "enforce"

    def __str__(self) -> str:
        numbers = ", ".join(f"{name}={value}" for name, value in self.evidence.items())
        monitored = " (monitored)" if self.mode == "monitor" else ""
        return f"{self.rule}: {self.code} → {self.action}{monitored} [{numbers}]"


@facts(frozen=True, slots=True)
class Decision:
    """What happens to one attempt, and why.

    ``findings`` holds every finding, strictest first, monitored ones included; ``action`` is the
    strictest of those that were enforced. ``allowed_because`` explains an admission in spite of
    findings (``"proved"``, ``"monitored"``). ``degraded`` says that the store could not answer,
    ``known`` that the number has verified before. ``reservation`` is what the store knows an
    admitted message by, empty if its outcome concerns nobody. ``reference`` is what a refusal tells
    its client (``7Q3K-9XDM``): random, it says nothing, and finds the event; empty if allowed.
    """

    attempt: Attempt
    action: Action = Action.ALLOW
    findings: tuple[Finding, ...] = ()
    allowed_because: str | None = None
    degraded: bool = False
    known: bool = False
    reservation: bytes = b""
    reference: str = field(default="", compare=False)

    @property
    def allowed(self) -> bool:
        """Whether the message may be sent."""
        return self.action is Action.ALLOW

    @property
    def finding(self) -> Finding | None:
        """The finding that decided, if the request was not allowed."""
        action = self.action
        if action:
            for each in self.findings:
                if each.action is action and each.mode == "enforce":
                    return each
        return None

    @property
    def score(self) -> float:
        """The risk score: the product of all findings' weights, 1 without any. It is acted on where
        the policy has a `pumpguard.risk.Risk`, which knows its levels."""
        return prod([finding.weight for finding in self.findings])

    @property
    def retry_after(self) -> float | None:
        """Seconds until no enforced finding refuses this request, where that is known. Challenges
        count only where nothing else refuses: proof meets them at any time."""
        least = min(self.action, Action.THROTTLE)
        waits = [
            f.retry_after
            for f in self.findings
            if f.mode == "enforce" and f.retry_after is not None and f.action >= max(least, 1)
        ]
        return max(waits, default=None)

    @property
    def masked_number(self) -> str:
        """The number for people, logs and events: its block of 1,000, or the narrower one that a
        finding shows."""
        phone = self.attempt.phone
        return masked_number(phone.e164, phone.block, [each.subject for each in self.findings])

    def explain(self) -> str:
        """The whole reasoning in plain lines, for the operator; never show it to a client. It
        begins with a refusal's ``reference``."""
        phone, client = self.attempt.phone, self.attempt.client
        to, country = phone.region or "unknown", client.country or "unknown"
        head = f"{self.action} {self.reference}" if self.reference else f"{self.action}"
        head += f": {self.masked_number} ({to}) for {client.masked} ({country})"
        if self.degraded:
            head += " [store unavailable]"
        if self.allowed_because:
            head += f" [{self.allowed_because}]"
        return "\n".join([head, *(f"  {finding}" for finding in self.findings)])
