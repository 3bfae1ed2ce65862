"""What happens when the store cannot answer, in one place.

``local``: this process decides alone, with its share of every limit. ``open`` (fail open): the
request is let through. ``closed`` (fail closed): it is refused. So it is with ``local`` too when
this process has no room to count; rules without counters speak in any case.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pumpguard.counters.plan import share
from pumpguard.decision import Enforced
from pumpguard.errors import PolicyError, StoreError
from pumpguard.store.base import Answer, Question
from pumpguard.store.line import Crowded
from pumpguard.store.memory import MemoryStore, StoreFull

OnStoreFailure = Literal["local", "open", "closed"]


class Fallback:
    """Answers in the store's place, as the policy's ``on_store_failure`` says.

    Raises `PolicyError` for ``local`` where this process cannot count.
    """

    def __init__(self, on_store_failure: OnStoreFailure, workers: int) -> None:
        self._fails_open = on_store_failure == "open"
        self._workers = workers
        self._local = _local_store() if on_store_failure == "local" else None

    async def answer(
        self, question: Question, enforced: Enforced, fault: StoreError | None = None
    ) -> Answer:
        """What this process decides alone. What verifications have taught is known to the store
        alone, and so are reservations. A store of this process that is full has counted whom it
        knows: another one beside it would let them all through again. Who found the line full is
        refused: an attacker must not be let through because he is many."""
        if self._local is not None and not isinstance(fault, StoreFull | Crowded):
            plan = share(question.plan, self._workers)
            try:
                answer = await self._local.decide(
                    replace(question, plan=plan, ticket=b"", overrides_version=b"")
                )
            except (StoreFull, Crowded) as error:
                fault = error
            else:
                answer.degraded = True
                return answer
        crowded = isinstance(fault, Crowded)
        let_through = enforced == "nothing" or (self._fails_open and not crowded)
        at = question.at or 0.0
        return Answer(let_through, {}, at, degraded=not crowded, crowded=crowded)


def _local_store() -> MemoryStore:
    try:
        return MemoryStore()
    except PolicyError as error:
        raise PolicyError("on_store_failure", f"'closed' or 'open', or {error.expected}") from None
