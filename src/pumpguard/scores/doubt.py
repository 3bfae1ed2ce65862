"""Asks an outside score about requests in the grey zone, and about no others."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from math import inf
from typing import Protocol

from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Decision, Finding
from pumpguard.engine.combine import refuses
from pumpguard.risk import MEDIUM, Risk
from pumpguard.scores.base import Score

logger = logging.getLogger("pumpguard")


class Judge(Protocol):
    """A guard's own decision."""

    async def __call__(
        self, attempt: Attempt, others: Sequence[Finding] = (), *, refuse_medium: bool = False
    ) -> Decision:
        """Decide; ``others`` were found elsewhere, ``refuse_medium`` refuses a medium score."""
        ...


async def decide(judge: Judge, attempt: Attempt, score: Score, risk: Risk) -> Decision:
    """First as if the grey zone were refused; only who is then refused for nothing else is asked
    about, and judged again with the answer. Without an answer it is as if nobody had been asked.
    """
    decision = await judge(attempt, refuse_medium=True)
    if not _in_doubt(decision):
        return decision
    factor = await _factor(score, attempt)
    if factor is not None:
        said = Finding("score", Action.ALLOW, "OUTSIDE_SCORE", {"factor": factor}, weight=factor)
        return await judge(attempt, (said,))
    if risk.bound(attempt.proved) <= risk.medium:
        return decision  # it was refused as it would have been
    return await judge(attempt)


def _in_doubt(decision: Decision) -> bool:
    """Whether nothing but a medium score stands against the request."""
    refusing = [finding for finding in decision.findings if refuses(finding, decision.attempt)]
    return [finding.code for finding in refusing] == [MEDIUM]


async def _factor(score: Score, attempt: Attempt) -> float | None:
    try:
        factor = await score.score(attempt)
    except Exception:
        logger.exception("PG031 outside score failed; the request is judged without it")
        return None
    return factor if factor is not None and 0 < factor < inf else None
