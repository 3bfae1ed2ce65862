"""The visible refusals: challenge, throttle, block."""

from __future__ import annotations

from pumpguard.decision import Action, Decision
from pumpguard.replies.problem import Problem


def challenge() -> Problem:
    """Proof first; an honest client solves and asks again."""
    return Problem(
        403,
        "challenge",
        "Proof required",
        "Show that a person is asking, then send this request again.",
    )


def throttle(retry_after: float | None) -> Problem:
    """Later."""
    return Problem(
        429,
        "throttled",
        "Too many requests",
        "Please wait before asking for another code.",
        retry_after,
    )


def block() -> Problem:
    """No. The same words for every reason: an attacker learns nothing, an honest client enough."""
    return Problem(
        403, "blocked", "Request refused", "No code can be sent for this request. Check the number."
    )


def refusal(decision: Decision) -> Problem:
    """The reply to a decision that was not to allow. A shadow that could be heard is a block."""
    match decision.action:
        case Action.CHALLENGE:
            return challenge()
        case Action.THROTTLE:
            return throttle(decision.retry_after)
    return block()
