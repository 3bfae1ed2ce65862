"""The contract of challenges."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from pumpguard.attempt import Attempt
from pumpguard.decision import Decision

HEADER = "header:x-challenge-solution"
"""Where every challenge of ours takes its solution, beside a field of the body."""


@dataclass(frozen=True, slots=True)
class Solution:
    """A challenge solved for this very attempt. The guard lets each ``id`` through once."""

    id: str


Verdict: TypeAlias = Solution | bool
"""Whether it is solved; ``True`` for a proof that may be given more than once."""


class Challenge(Protocol):
    """Something that a client can solve. Pass it to a guard as ``challenge=``.

    Derive from this class and write `solved`; everything else has a default. Requests that carry
    nothing where ``carried_in`` says cost nothing.
    """

    carried_in: Sequence[str] = (HEADER, "challenge_solution")
    """Where a solution stands, in a policy's notation for fields; the first that is there counts.
    Fields of the body are only looked for in JSON and forms."""

    longest: int = 4_096
    """Characters. Longer texts are no solution, and nothing is computed of them."""

    lifetime: int = 300
    """Seconds after which a solution is accepted no more, wherever it was used before."""

    def solved(self, said: str, attempt: Attempt) -> Verdict | Awaitable[Verdict]:
        """Whether ``said``, which a client sent, solves a challenge that was put to this attempt's
        number and network. May be ``async``. One that raises is not solved."""
        ...

    def pose(self, decision: Decision) -> Mapping[str, object] | None:
        """What to solve, as JSON for the reply; the client must not learn the reasons from it."""
        return None

    async def aclose(self) -> None:
        """Close connections."""
        return


class Elsewhere(Challenge):
    """Stands for a challenge that is posed and checked elsewhere: nothing is solved here."""

    def solved(self, said: str, attempt: Attempt) -> bool:
        return False
