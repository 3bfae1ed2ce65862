"""What the overrides say about one attempt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import NamedTuple

from pumpguard.attempt import Attempt
from pumpguard.counters.expected import Expected
from pumpguard.decision import Action, Enforced, Finding, Mode
from pumpguard.overrides.document import OverrideDocument, version_bytes
from pumpguard.overrides.lists import Hash, Listing
from pumpguard.overrides.posture import Posture

POSTURE, LISTS = "posture", "lists"
"""The rule names of findings that overrides make, also in metrics."""

KNOWN_ONLY = Finding(POSTURE, Action.THROTTLE, "POSTURE_KNOWN_ONLY")
"""For a number that has not verified before. Only the store can tell."""

POSTURE_FINDINGS: dict[Posture, tuple[Finding, ...]] = {
    Posture.CHALLENGE_ALL: (Finding(POSTURE, Action.CHALLENGE, "POSTURE_CHALLENGE_ALL"),),
    Posture.CLOSED: (Finding(POSTURE, Action.THROTTLE, "POSTURE_CLOSED"),),
}
"""Findings of a posture about every attempt. They have no ``Retry-After``: an attacker need not
know when it ends."""


class InForce(NamedTuple):
    """The posture and the listing that hold for one attempt, and what follows from them.

    ``findings`` are those against the attempt, before anything is counted. ``enforced`` says what
    of the rules may refuse it: an ``allowed`` attempt is refused by nothing but ``closed`` and,
    unless it spends freely, by budgets. ``expected`` widens what it is judged by; the rules in
    ``monitored`` are recorded only.
    """

    posture: Posture = Posture.NORMAL
    listing: Listing | None = None
    findings: tuple[Finding, ...] = ()
    enforced: Enforced = "all"
    known_only: bool = False
    allowed: bool = False
    closed: bool = False
    expected: Expected | None = None
    monitored: frozenset[str] = frozenset()

    def observed(self) -> InForce:
        """The same under a policy that only monitors: where nobody has set a posture, all is
        observed."""
        if self.posture is not Posture.NORMAL:
            return self
        return in_force(Posture.OBSERVE, self.listing)._replace(expected=self.expected)


NOTHING_IN_FORCE = InForce()


def in_force(posture: Posture, listing: Listing | None = None) -> InForce:
    """What follows from a posture, and from a listing if there is one."""
    closed, observe = posture is Posture.CLOSED, posture is Posture.OBSERVE
    allowed = listing is not None and listing.verdict == "allow"
    findings = () if allowed and not closed else POSTURE_FINDINGS.get(posture, ())
    if listing is not None and not allowed:
        findings = (*findings, _denied(listing, posture))
    enforced: Enforced = "all"
    if observe or (listing is not None and listing.spends_freely):
        enforced = "nothing"
    elif allowed:
        enforced = "budgets"
    return InForce(
        posture,
        listing,
        findings,
        enforced,
        known_only=posture is Posture.KNOWN_ONLY and not allowed,
        allowed=allowed and not observe,
        closed=closed,
    )


class Overrides:
    """A document, indexed for `lookup`.

    ``document`` is the `OverrideDocument`; ``version`` its version in bytes, as stores compare it;
    ``empty`` whether there are no overrides at all: then `lookup` always returns
    `NOTHING_IN_FORCE`, and need not be called.
    """

    def __init__(
        self, document: OverrideDocument, hashed: Hash, version: bytes | None = None
    ) -> None:
        self.document = document
        self.version = version_bytes(document.version) if version is None else version
        self.empty = not (
            document.postures or document.step or document.listings or document.expectations
            or document.monitored
        )  # fmt: skip
        self._hashed = hashed
        listings = document.listings
        self._listings = {(each.kind, each.value): each for each in listings}
        self._kinds = {each.kind for each in listings}
        self._prefix_lengths = sorted({len(e.value) for e in listings if e.kind == "prefix"})
        networks = [ip_network(e.value) for e in listings if e.kind == "network"]
        self._masks = sorted({(network.version, network.prefixlen) for network in networks})

    def lookup(self, attempt: Attempt, now: float) -> InForce:
        """What is in force for an attempt at a time (Unix seconds)."""
        if self.empty:
            return NOTHING_IN_FORCE
        country, document = attempt.subject("country"), self.document
        found = self.concerning(attempt)
        listing = _strongest([each for each in found if each.in_force(now)])
        override = in_force(document.posture(country, now), listing)
        if document.monitored:
            override = override._replace(monitored=self.monitored(now))
        if not document.expectations:
            return override
        return override._replace(expected=Expected.of(document.expected(now), country))

    def concerning(self, attempt: Attempt) -> list[Listing]:
        """All listings about an attempt, in force or not."""
        return [self._listings[key] for key in self._keys(attempt) if key in self._listings]

    def monitored(self, now: float) -> frozenset[str]:
        """The rules that only monitor at a time, by order."""
        standing = self.document.monitored
        return frozenset(rule for rule, each in standing.items() if each.in_force(now))

    def _keys(self, attempt: Attempt) -> Iterator[tuple[str, str]]:
        """The keys of all listings that would concern this attempt."""
        phone, kinds = attempt.phone.e164, self._kinds
        if "number" in kinds:
            yield "number", self._hashed("number", phone)
        if "account" in kinds and attempt.account is not None:
            yield "account", self._hashed("account", attempt.account)
        if "country" in kinds:
            yield "country", attempt.subject("country") or ""
        for length in self._prefix_lengths:
            yield "prefix", phone[:length]
        if self._masks and attempt.client.address is not None:
            address = ip_address(attempt.client.address)
            for version, length in self._masks:
                if version == address.version:
                    network = IPv4Network if version == 4 else IPv6Network
                    yield "network", str(network((int(address), length), strict=False))


def _strongest(found: Sequence[Listing]) -> Listing | None:
    """Allowing wins over denying, and spending freely over both."""
    return max(found, key=lambda each: (each.verdict == "allow", each.spends_freely), default=None)


def _denied(listing: Listing, posture: Posture) -> Finding:
    mode: Mode = "monitor" if posture is Posture.OBSERVE else "enforce"
    evidence = {"kind": listing.kind, "author": listing.author, "reason": listing.reason}
    return Finding(LISTS, Action.BLOCK, "LISTED", evidence, subject=listing.shown, mode=mode)
