"""Scores from outside: what somebody else knows about a number, asked in the grey zone only."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import inf
from typing import Protocol

from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Decision, Finding
from pumpguard.engine.combine import refuses
from pumpguard.risk import MEDIUM, Risk
from pumpguard.scores.lookup import LookupScore

__all__ = ["LookupScore", "Score", "decide_with_score"]

logger = logging.getLogger("pumpguard")


class Score(Protocol):
    """Somebody who may know more, at a price. Pass it to a guard as ``score=``."""

    async def score(self, attempt: Attempt) -> float | None:
        """A factor of the risk score (below 1 speaks for the request), or ``None`` for no answer.

        It bounds its own time: the request waits for it.
        """
        ...

    async def aclose(self) -> None:
        """Close connections."""
        ...


class Judge(Protocol):
    """A guard's own decision."""

    async def __call__(
        self, attempt: Attempt, findings: Sequence[Finding] = (), /, *, refuse_medium: bool = False
    ) -> Decision:
        """Decide; ``findings`` are from elsewhere, ``refuse_medium`` refuses a medium score."""
        ...


async def decide_with_score(judge: Judge, attempt: Attempt, score: Score, risk: Risk) -> Decision:
    """Judge first as if a medium score were refused. If nothing else refuses the request, ask, and
    judge again with the answer; without an answer it is as if nobody had been asked."""
    decision = await judge(attempt, refuse_medium=True)
    if not _in_doubt(decision):
        return decision
    factor = await _factor(score, attempt)
    if factor is not None:
        found = Finding("score", Action.ALLOW, "OUTSIDE_SCORE", {"factor": factor}, weight=factor)
        return await judge(attempt, (found,))
    if risk.bound(attempt.proved) <= risk.medium:
        return decision  # it was refused as it would have been
    return await judge(attempt)


def _in_doubt(decision: Decision) -> bool:
    """Whether a medium score, and nothing else, refuses the request."""
    refusing = [finding for finding in decision.findings if refuses(finding, decision.attempt)]
    return [finding.code for finding in refusing] == [MEDIUM]


async def _factor(score: Score, attempt: Attempt) -> float | None:
    try:
        factor = await score.score(attempt)
    except Exception:
        logger.exception("PG031 outside score failed; the request is judged without it")
        return None
    return factor if factor is not None and 0 < factor < inf else None
