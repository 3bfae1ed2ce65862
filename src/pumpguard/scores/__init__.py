"""Scores from outside: what somebody else knows about a number, asked in the grey zone only."""

from __future__ import annotations

import logging
from math import inf
from typing import Protocol

from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Decision, Finding
from pumpguard.engine.combine import refuses
from pumpguard.engine.decide import Engine
from pumpguard.notices import Notices
from pumpguard.risk import MEDIUM, Risk
from pumpguard.scores.lookup import LookupScore

__all__ = ["LookupScore", "Score", "decide_with_score"]


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


async def decide_with_score(
    engine: Engine, attempt: Attempt, score: Score, risk: Risk, notices: Notices
) -> Decision:
    """Decide first as if a medium risk score were refused. If nothing else refuses the request,
    ask, and decide again with the answer; without an answer it is as if nobody had been asked."""
    decision = await engine.decide(attempt, refuse_medium=True)
    refusing = [finding.code for finding in decision.findings if refuses(finding, decision.attempt)]
    if refusing != [MEDIUM]:
        return decision
    factor = await _factor(score, attempt, notices)
    if factor is not None:
        found = Finding("score", Action.ALLOW, "OUTSIDE_SCORE", {"factor": factor}, weight=factor)
        return await engine.decide(attempt, (found,))
    if risk.bound(attempt.proved) <= risk.medium:
        return decision  # it was refused as it would have been
    return await engine.decide(attempt)


async def _factor(score: Score, attempt: Attempt, notices: Notices) -> float | None:
    try:
        factor = await score.score(attempt)
    except Exception:
        text = "outside score failed; requests are judged without it"
        notices.say("PG031", "score", text, level=logging.ERROR, exc_info=True)
        return None
    return factor if factor is not None and 0 < factor < inf else None
