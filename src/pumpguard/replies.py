"""What a client is told when no message is sent: problem details (RFC 9457).

A reply says how to go on, and nothing about why. It is the same for everybody, so each is made once
(under attack most replies are refusals), except for what a challenge asks.
"""

from __future__ import annotations

import logging
import math
from functools import lru_cache

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from pumpguard.challenges.base import Challenge
from pumpguard.decision import Action, Decision
from pumpguard.errors import IntakeError

TYPE = "tag:pumpguard,2026:problem/"
"""Problem types are names and lead nowhere; clients match on how they end."""

logger = logging.getLogger("pumpguard")


class Problem(JSONResponse):
    """An ``application/problem+json`` response; also an ASGI app, like all of starlette's.

    ``problem`` is the end of its type, ``retry_after`` seconds, rounded up to whole ones.
    """

    media_type = "application/problem+json"

    def __init__(
        self,
        status: int,
        problem: str,
        title: str,
        detail: str,
        retry_after: float | None = None,
        **members: object,
    ) -> None:
        headers = {"cache-control": "no-store"}
        if retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(retry_after)))
        facts = {"type": TYPE + problem, "title": title, "status": status, "detail": detail}
        super().__init__({**facts, **members}, status, headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A copy: a middleware around us may add to the list, and the same problem is sent again.
        headers = list(self.raw_headers)
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


PROOF_REQUIRED = (
    403,
    "challenge",
    "Proof required",
    "Show that a person is asking, then send this request again.",
)
CHALLENGE = Problem(*PROOF_REQUIRED)
BAD_REQUEST = Problem(400, "bad-request", "Bad request", "The request cannot be read.")

UNAVAILABLE = Problem(503, "unavailable", "Try again", "No code can be sent right now.")

BLOCK = Problem(
    403, "blocked", "Request refused", "No code can be sent for this request. Check the number."
)
"""The same for every reason: an attacker learns nothing, an honest client enough."""


def unreadable(error: IntakeError) -> Problem:
    """The reply to a request that could not be read as an attempt."""
    return Problem(error.status, error.problem, error.title, error.detail)


def refusal(decision: Decision, challenge: Challenge | None = None) -> Problem:
    """The reply to a decision that refuses; a shadow that cannot be kept silent is a block."""
    match decision.action:
        case Action.CHALLENGE:
            return CHALLENGE if challenge is None else _challenged(decision, challenge)
        case Action.THROTTLE:
            wait = decision.retry_after
            return _throttled(None if wait is None else math.ceil(wait))
    return BLOCK


@lru_cache(maxsize=4_096)
def _throttled(seconds: int | None) -> Problem:
    detail = "Please wait before asking for another code."
    return Problem(429, "throttled", "Too many requests", detail, seconds)


def _challenged(decision: Decision, challenge: Challenge) -> Problem:
    try:
        to_solve = challenge.pose(decision)
    except Exception:
        logger.exception("PG038 could not create a challenge; the client is refused without one")
        return CHALLENGE
    return CHALLENGE if to_solve is None else Problem(*PROOF_REQUIRED, challenge=to_solve)
