"""Messages of our own events that may still fail."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pumpguard.decision import Decision
from pumpguard.outcomes import Ticket

MOST = 50_000
"""Numbers that are remembered; what was sent first is forgotten first."""


class LastSent:
    """An event of a failure names the number alone, so it is taken for the newest message to it."""

    def __init__(self) -> None:
        self._by_number: dict[str, list[Ticket]] = {}

    def add(self, decision: Decision) -> None:
        """A message was let through."""
        self._by_number.setdefault(decision.attempt.phone.e164, []).append(Ticket.of(decision))
        if len(self._by_number) > MOST:
            del self._by_number[next(iter(self._by_number))]

    def pop(self, phone: str) -> Ticket | None:
        """The newest to this number."""
        found = self._by_number.get(phone)
        return found.pop() if found else None

    def saved(self) -> dict[str, Any]:
        """All of it, ready for JSON. A ticket's text lacks what does not concern who hands it
        back."""
        return {
            phone: [
                [str(each), each.attempt.proved, each.attempt.solution, each.attempt.at,
                 each.attempt.price]
                for each in tickets
            ]
            for phone, tickets in self._by_number.items()
        }  # fmt: skip

    @classmethod
    def restored(cls, saved: dict[str, Any]) -> LastSent:
        """The one that was `saved`."""
        found = cls()
        for phone, tickets in saved.items():
            found._by_number[phone] = [_restored(*each) for each in tickets]
        return found


def _restored(
    text: str, proved: bool, solution: str | None, at: float, price: float | None
) -> Ticket:
    ticket = Ticket.parse(text)
    attempt = replace(ticket.attempt, proved=proved, solution=solution, at=at, price=price)
    return replace(ticket, attempt=attempt)
