"""The solution of a challenge that a request carries, if it does."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Sequence
from dataclasses import replace

from pumpguard.attempt import Attempt
from pumpguard.challenges.base import Challenge, Solution
from pumpguard.errors import PolicyError
from pumpguard.intake.fields import Fields, check_field

logger = logging.getLogger("pumpguard")


def check_places(challenge: Challenge) -> Challenge:
    """Raise `PolicyError` unless the challenge says where solutions stand, and until when."""
    for i, place in enumerate(challenge.carried_in):
        check_field(place, f"challenge.carried_in.{i}")
    for name in ("longest", "lifetime"):
        if not getattr(challenge, name) > 0:
            raise PolicyError(f"challenge.{name}", "a number above 0", getattr(challenge, name))
    return challenge


def carried(fields: Fields, places: Sequence[str], longest: int) -> str | None:
    """What the request says is a solution. Raises `IntakeError` for what is ambiguous."""
    for place in places:
        if fields.can_have(place):
            said = fields.get(place)
            if isinstance(said, str) and said:
                return said if len(said) <= longest else None
    return None


async def proven(challenge: Challenge, said: str, attempt: Attempt) -> Attempt:
    """The attempt, with what its solution proves."""
    try:
        answer = challenge.solved(said, attempt)
        if isinstance(answer, Awaitable):
            answer = await answer
    except Exception:
        logger.exception("PG037 could not check a challenge; the request counts as unsolved")
        return attempt
    if isinstance(answer, Solution):
        return replace(attempt, proved=True, solution=answer.id)
    return replace(attempt, proved=True) if answer is True else attempt
