"""What became of messages, told in this process: twin of ``redeem.lua`` and ``settle.lua``."""

from __future__ import annotations

from hashlib import blake2b

from pumpguard.counters import (
    Conversion,
    Counter,
    Credit,
    Pulse,
    Refunds,
    Spend,
    Tickets,
    Trust,
    identity,
)
from pumpguard.store.base import Redeemed, Redemption, Settlement, Subject
from pumpguard.store.kinds import (
    Stored,
    conversion,
    credit,
    known,
    pulse,
    slices,
    tickets,
    trust,
)
from pumpguard.store.trip import Recall, Writes, keys


def redeem(redemption: Redemption, now: int, stored: Recall) -> tuple[Redeemed, Writes]:
    """Take the open tickets of a number, and know it from now on."""
    known_key = identity(redemption.known), redemption.phone
    tickets_key = identity(redemption.tickets), redemption.phone
    waiting = tickets.look(redemption.tickets, None, stored(tickets_key, now), now).live
    span = redemption.known.seconds * 1000
    kept, counts = known.verified(span, stored(known_key, now), now, bool(waiting))
    writes: Writes = {known_key: kept, tickets_key: ([], now)}
    return Redeemed(counts, now, tuple(reversed(waiting))), writes


class Told:
    """One outcome, told to all subjects that have to know."""

    def __init__(self, settlement: Settlement, now: int, stored: Recall) -> None:
        self.settlement = settlement
        self.now = now
        self.price, self.sent_at = settlement.price, settlement.sent_at
        self.writes: Writes = {}
        self._stored = stored
        plan = settlement.plan
        places = keys(plan, settlement.subjects)
        self._counters = [(plan.counters[i], places[i]) for i in plan.order]
        self._silent = False
        if settlement.outcome == "unallocated":
            self.applied = self._taken()
            return
        self.applied = settlement.outcome != "failed" or self._refundable()
        if self.applied:
            worth, of_clients = self._learn()
            verified = settlement.outcome == "verified"
            self._pay_back(self.price * worth // 1000 if verified else 0)
            self._trust(worth, of_clients)

    def _taken(self) -> bool:
        """Takes the ticket; whether it was there."""
        found = None
        for counter, key in self._counters:
            if isinstance(counter, Tickets):
                look = tickets.look(counter, None, self._stored(key, self.now), self.now)
                found = look.taken(self.settlement.ticket)
                if found is not None:
                    rest = [each for each in look.live if each is not found]
                    self.writes[key] = rest, self.now + counter.seconds * 1000
        if found is None:
            return False
        self.price, self.sent_at = found.price, found.at
        return True

    def _refundable(self) -> bool:
        """Takes the ticket, and the refund out of what may be refunded; whether both were there."""
        if not self._taken():
            return False
        for counter, key in self._counters:
            if isinstance(counter, Refunds):
                stored, span = self._stored(key, self.now), counter.seconds * 1000
                room = slices.look(counter.limit, span, self.price, stored, self.now)
                if not room.wait:
                    self.writes[key] = room.charged()
                    return True
        return False

    def _learn(self) -> tuple[int, int]:
        """Tells pulse and conversions; what a verification is worth to the strictest of them, and
        to those that do not mind that many come from one network."""
        verified, worth, of_clients = self.settlement.outcome == "verified", 1000, 1000
        for counter, key in self._counters:
            stored = self._stored(key, self.now)
            if isinstance(counter, Pulse):
                beat = pulse.look(counter, stored, self.now)
                self._silent = beat.silent
                if verified:
                    self.writes[key] = beat.verified()
            elif isinstance(counter, Conversion) and (verified or stored is not None):
                look = conversion.look(counter, stored, self.now, None, self._silent)
                if verified:
                    kept, expires, own_worth = look.verified(self.sent_at, self._verification())
                    self.writes[key] = kept, expires
                    worth = min(worth, own_worth)
                    if not conversion.tells_networks_apart(counter):
                        of_clients = min(of_clients, own_worth)
                elif (taken_back := look.taken_back(self.sent_at)) is not None:
                    self.writes[key] = taken_back
        return worth, of_clients

    def _trust(self, worth: int, of_clients: int) -> None:
        for counter, key in self._counters:
            stored = self._stored(key, self.now)
            if not isinstance(counter, Trust) or stored is None:
                continue
            look = trust.look(counter, stored, self.now, False)
            if self.settlement.outcome == "verified":
                mine = of_clients if trust.of_clients(counter) else worth
                self.writes[key] = look.earned(mine)
            else:
                self.writes[key] = look.taken_back()

    def _pay_back(self, earned: int) -> None:
        for counter, key in self._counters:
            written = self._paid_back(counter, self._stored(key, self.now), earned)
            if written is not None:
                self.writes[key] = written

    def _paid_back(
        self, counter: Counter, stored: Stored | None, earned: int
    ) -> tuple[Stored, int] | None:
        match counter:
            case Credit() if earned or stored is not None:
                return credit.look(counter, self.price, stored, self.now).settled(earned)
            case Spend() if self.settlement.outcome == "failed" and stored is not None:
                span = counter.seconds * 1000
                spent = slices.look(counter.limit, span, self.price, stored, self.now)
                return spent.refunded(self.sent_at)
        return None

    def _verification(self) -> conversion.Verification:
        told = self.settlement
        return conversion.Verification(
            conversion.tenths(told.age), _hash(told.network) if told.network else 0, told.place
        )


def _hash(network: Subject) -> int:
    """Two bytes that tell networks apart, or nearly."""
    said = network if isinstance(network, bytes) else network.encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(said, digest_size=2).digest())
