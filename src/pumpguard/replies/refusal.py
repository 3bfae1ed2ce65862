"""The visible refusals: challenge, throttle, block.

A reply says the same to everybody, so each is made once and sent over and over: under attack most
replies are refusals. Only what a challenge asks for is made for each.
"""

from __future__ import annotations

import logging
import math
from functools import lru_cache

from pumpguard.challenges.base import Challenge
from pumpguard.decision import Action, Decision
from pumpguard.replies.problem import Problem

logger = logging.getLogger("pumpguard")

PROOF_REQUIRED = (
    403,
    "challenge",
    "Proof required",
    "Show that a person is asking, then send this request again.",
)

CHALLENGE = Problem(*PROOF_REQUIRED)
"""Proof first; an honest client solves and asks again."""

BLOCK = Problem(
    403,
    "blocked",
    "Request refused",
    "No code can be sent for this request. Check the number.",
)
"""No. The same words for every reason: an attacker learns nothing, an honest client enough."""


@lru_cache(maxsize=4_096)
def throttle(seconds: int | None) -> Problem:
    """Later, and if that is known when."""
    return Problem(
        429,
        "throttled",
        "Too many requests",
        "Please wait before asking for another code.",
        seconds,
    )


def posed(decision: Decision, challenge: Challenge) -> Problem:
    """Proof first, and what to solve for it."""
    try:
        to_solve = challenge.pose(decision)
    except Exception:
        logger.exception("PG038 could not create a challenge; the client is refused without one")
        return CHALLENGE
    return CHALLENGE if to_solve is None else Problem(*PROOF_REQUIRED, challenge=to_solve)


def refusal(decision: Decision, challenge: Challenge | None = None) -> Problem:
    """The reply to a decision that was not to allow. A shadow that could be heard is a block."""
    match decision.action:
        case Action.CHALLENGE:
            return CHALLENGE if challenge is None else posed(decision, challenge)
        case Action.THROTTLE:
            wait = decision.retry_after
            return throttle(None if wait is None else math.ceil(wait))
    return BLOCK
