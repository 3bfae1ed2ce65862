"""What a score from outside has to be able to do."""

from __future__ import annotations

from typing import Protocol

from pumpguard.attempt import Attempt


class Score(Protocol):
    """Somebody who may know more, at a price. Pass it to a guard as ``score=``."""

    async def score(self, attempt: Attempt) -> float | None:
        """A factor of the risk score (below 1 speaks for the request), or ``None`` for no answer.

        It bounds its own time: the request waits for it.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections."""
        ...
