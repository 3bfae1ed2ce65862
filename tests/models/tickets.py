"""Tickets: messages that wait for their outcome."""

from __future__ import annotations

from pumpguard.counters import Reading, Tickets
from pumpguard.store.base import Open
from tests.models.base import Facts, Model, reading


class TicketsModel(Model[Tickets]):
    """The last tickets of a number, oldest first."""

    def __init__(self) -> None:
        self.tickets: list[Open] = []

    def open(self, counter: Tickets, now: int) -> list[Open]:
        """Those that are not too old; time does not run backwards."""
        now = max([now, *(ticket.at for ticket in self.tickets)])
        return [ticket for ticket in self.tickets if ticket.at > now - counter.span]

    def look(self, counter: Tickets, facts: Facts) -> Reading:
        waiting = self.open(counter, facts.now)
        facts.owed += sum(ticket.price for ticket in waiting)
        return reading(len(waiting), 0)

    def charge(self, counter: Tickets, facts: Facts) -> None:
        if facts.ticket:
            now = max([facts.now, *(ticket.at for ticket in self.tickets)])
            new = Open(facts.ticket, now, facts.price, facts.remembered)
            self.tickets = [*self.open(counter, now), new][-counter.kept :]

    def take(self, counter: Tickets, facts: Facts) -> bool:
        for ticket in self.open(counter, facts.now):
            if ticket.ticket == facts.ticket:
                self.tickets.remove(ticket)
                facts.price, facts.sent_at = ticket.price, ticket.at
                return True
        return False
