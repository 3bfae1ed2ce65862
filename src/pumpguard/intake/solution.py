"""Where a request carries the solution of a challenge."""

from __future__ import annotations

from pumpguard.challenges.base import Challenge
from pumpguard.errors import PolicyError
from pumpguard.intake.fields import Fields, check_field


def checked(challenge: Challenge) -> Challenge:
    """Raise `PolicyError` for a field that is none, and for bounds that are not above 0."""
    for i, field in enumerate(challenge.carried_in):
        check_field(field, f"challenge.carried_in.{i}")
    for name, value in (("longest", challenge.longest), ("lifetime", challenge.lifetime)):
        if not value > 0:
            raise PolicyError(f"challenge.{name}", "a number above 0", value)
    return challenge


def solution_in(fields: Fields, challenge: Challenge) -> str | None:
    """The request's solution to a challenge. Raises `IntakeError` for what is ambiguous."""
    for field in challenge.carried_in:
        if fields.can_have(field):
            text = fields.get(field)
            if isinstance(text, str) and text:
                return text if len(text) <= challenge.longest else None
    return None
