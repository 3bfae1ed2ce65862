"""One play on a fresh example app, and what it cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from examples.target_app.app import create_app
from examples.target_app.settings import Settings

from ..actors import Log, Start
from ..attackers import Attack
from ..attribution import by_side
from ..books import Books, Message, read_books
from ..clock import DAY, MIDNIGHT
from ..run import play
from ..targets import AsgiApp, InProcess

BOOKS_CLOSE = MIDNIGHT + 3 * DAY


@dataclass(frozen=True)
class Played:
    """What is left of a play."""

    log: Log
    books: Books

    def paid(self, attack: Attack) -> list[Message]:
        """The messages that the attack asked for."""
        return by_side(self.log, self.books.ledger).get(attack.name, [])

    def spend(self, attack: Attack) -> float:
        """USD that the attack's messages cost."""
        return self.dearest(attack, BOOKS_CLOSE)

    def dearest(self, attack: Attack, seconds: float) -> float:
        """USD that they cost in the dearest stretch of so many seconds, wherever it begins."""
        paid = sorted((m.at, m.price) for m in self.paid(attack))
        most = spent = 0.0
        oldest = 0
        for at, price in paid:
            spent += price
            while paid[oldest][0] <= at - seconds:
                spent -= paid[oldest][1]
                oldest += 1
            most = max(most, spent)
        return most


async def on_stage(
    starts: Iterable[Start],
    *,
    guard: bool = True,
    policy: Path | None = None,
    seed: int = 0,
    around: Callable[[AsgiApp], AsgiApp] = lambda app: app,
) -> Played:
    """Play against the app, in process; ``around`` puts another defence in front of it."""
    settings = Settings(guard=guard, policy_file=policy, simulated=True, seed=seed)
    async with InProcess(around(create_app(settings))) as target:
        log = await play(target, starts)
        return Played(log, await read_books(target, BOOKS_CLOSE))
