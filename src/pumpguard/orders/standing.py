"""Orders made ready for asking: what do they say about this attempt, now?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from pumpguard.attempt import Attempt
from pumpguard.decision import Action, Finding, Mode
from pumpguard.orders.document import Orders, mark
from pumpguard.orders.lists import Hash, Listing
from pumpguard.orders.posture import Posture

POSTURE, LISTS = "posture", "lists"
"""What findings and metrics call orders."""

KNOWN_ONLY = Finding(POSTURE, Action.THROTTLE, "POSTURE_KNOWN_ONLY")
"""Whoever is not known is refused by the store, which alone knows who is."""

AGAINST: dict[Posture, tuple[Finding, ...]] = {
    Posture.CHALLENGE_ALL: (Finding(POSTURE, Action.CHALLENGE, "POSTURE_CHALLENGE_ALL"),),
    Posture.CLOSED: (Finding(POSTURE, Action.THROTTLE, "POSTURE_CLOSED"),),
}
"""What a posture has against an attempt, whoever it is. No ``Retry-After``: an attacker need not
know when it ends."""


class Stance(NamedTuple):
    """What orders say about one attempt. An allowed one is refused by nothing but ``closed`` and,
    unless it spends freely, by budgets."""

    posture: Posture = Posture.NORMAL
    listing: Listing | None = None

    @property
    def allows(self) -> bool:
        """Whether the attempt is on the list of those who are always let through."""
        return self.listing is not None and self.listing.verdict == "allow"

    @property
    def free(self) -> bool:
        """Whether budgets do not hold it either."""
        return self.listing is not None and self.listing.spends_freely

    def findings(self) -> Sequence[Finding]:
        """What the orders have against the attempt, before anything is counted."""
        if self.allows and self.posture is not Posture.CLOSED:
            return ()
        found = AGAINST.get(self.posture, ())
        if self.listing is None or self.allows:
            return found
        return (*found, _denied(self.listing, self.posture))


ORDINARY = Stance()


class Standing:
    """A document, prepared: ``mark`` is its version as stores compare it."""

    def __init__(self, orders: Orders, hashed: Hash) -> None:
        self.orders = orders
        self.mark = mark(orders.version)
        self._hashed = hashed
        self._silent = not (orders.postures or orders.step or orders.listings)
        self._listed: dict[tuple[str, str], Listing] = {
            (each.kind, each.value): each for each in orders.listings
        }
        self._kinds = {each.kind for each in orders.listings}
        self._depths = sorted({len(e.value) for e in orders.listings if e.kind == "prefix"})
        networks = [ip_network(e.value) for e in orders.listings if e.kind == "network"]
        self._masks = sorted({(network.version, network.prefixlen) for network in networks})

    def about(self, attempt: Attempt, now: float) -> Stance:
        """What these orders say about an attempt at a time (Unix seconds)."""
        if self._silent:
            return ORDINARY
        posture = self.orders.posture(attempt.subject("country"), now)
        if not self._kinds:
            return Stance(posture)
        found = [self._listed[key] for key in self._names(attempt) if key in self._listed]
        return Stance(posture, _weightiest([each for each in found if each.stands(now)]))

    def _names(self, attempt: Attempt) -> Iterator[tuple[str, str]]:
        """All that an entry could call this attempt."""
        phone, kinds = attempt.phone.e164, self._kinds
        if "number" in kinds:
            yield "number", self._hashed("number", phone)
        if "account" in kinds and attempt.account is not None:
            yield "account", self._hashed("account", attempt.account)
        if "country" in kinds:
            yield "country", attempt.subject("country") or ""
        for depth in self._depths:
            yield "prefix", phone[:depth]
        if self._masks and attempt.client.address is not None:
            address = ip_address(attempt.client.address)
            for version, length in self._masks:
                if version == address.version:
                    network = IPv4Network if version == 4 else IPv6Network
                    yield "network", str(network((int(address), length), strict=False))


def _weightiest(found: Sequence[Listing]) -> Listing | None:
    """Allowing wins over denying, and of several the one that allows most."""
    return max(found, key=lambda each: (each.verdict == "allow", each.spends_freely), default=None)


def _denied(listing: Listing, posture: Posture) -> Finding:
    mode: Mode = "monitor" if posture is Posture.OBSERVE else "enforce"
    evidence = {"kind": listing.kind, "author": listing.author, "reason": listing.reason}
    return Finding(LISTS, Action.BLOCK, "LISTED", evidence, subject=listing.shown, mode=mode)
