"""What the service says of a decision: to a client what to do, to an operator why."""

from __future__ import annotations

import json
import math
import secrets
from collections import OrderedDict

from pumpguard.decision import Action, Decision
from pumpguard.errors import IntakeError
from pumpguard.guard import Guard
from pumpguard.outcomes import Ticket
from pumpguard.shadow.tokens import LIFETIME

RECENT = 2_000
"""Decisions that a process can explain afterwards."""


def decided(guard: Guard, decision: Decision, id: str) -> dict[str, object]:
    """What to do, and nothing about why: a client may hand it on as it is.

    ``ticket`` is for saying what became of the message. ``token`` is the decision for whoever
    sends it (`Guard.resume`), who should not do so after ``expires``, in Unix seconds.
    ``reference`` is for whoever is refused.
    """
    wait, action = decision.retry_after, decision.action
    if action is Action.CHALLENGE and guard.challenge is None:
        action = Action.BLOCK  # nobody here believes a proof
    return {
        "id": id,
        "action": str(action),
        "allowed": decision.allowed,
        "phone": decision.attempt.phone.e164,
        "retry_after": None if wait is None else max(1, math.ceil(wait)),
        "reference": _reference(decision),
        "degraded": decision.degraded,
        "ticket": str(Ticket.of(decision)) if decision.allowed else None,
        "token": guard.token(decision),
        "expires": int(decision.attempt.at) + LIFETIME,
    }


def _reference(decision: Decision) -> str | None:
    """What a person may be told; who is in a shadow is told nothing that others are not."""
    return None if decision.action is Action.SHADOW else decision.reference or None


class Recent:
    """The newest decisions of this process, by the ids that their answers had."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, Decision] = OrderedDict()

    def keep(self, decision: Decision) -> str:
        """Keep one; its id."""
        id = _reference(decision) or secrets.token_hex(8)
        self._known[id] = decision
        if len(self._known) > RECENT:
            self._known.popitem(last=False)
        return id

    def find(self, id: str) -> Decision:
        """The decision of that id. Raises `IntakeError`."""
        decision = self._known.get(id)
        if decision is None:
            detail = f"This process has made no such decision among its last {RECENT}."
            raise IntakeError(404, "unknown-decision", "Unknown decision", detail)
        return decision


def explained(decision: Decision, reference: str = "") -> str:
    """The whole reasoning, as JSON: for operators, and no client of theirs. ``reference`` is that
    of its event, if there is one."""
    return json.dumps(
        {
            "action": str(decision.action),
            "reference": reference or None,
            "explanation": decision.explain(),
            "score": decision.score,
            "known": decision.known,
            "degraded": decision.degraded,
            "findings": [
                {
                    "rule": finding.rule,
                    "action": str(finding.action),
                    "code": finding.code,
                    "mode": finding.mode,
                    "weight": finding.weight,
                    "retry_after": finding.retry_after,
                    "evidence": dict(finding.evidence),
                }
                for finding in decision.findings
            ],
        },
        default=str,
    )
