"""What a guard has seen of those who connect: are they clients, or proxies that nobody named?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING

from pumpguard.masking import masked_network
from pumpguard.notices import Notices

if TYPE_CHECKING:
    from starlette.types import Scope

REMEMBERED = 100
"""Peers whose requests are counted."""

IN_A_ROW = 20
"""Unreadable requests in a row, or requests of one public peer, that are said."""

EACH, NUMBERS, FEW = 100, 50, 4
"""So many requests for so many numbers come from many addresses: from more than four where these
are private, as the nodes of a cluster have them, and else from more than one."""


class Peers:
    """Says where client addresses are missing, or are those of a proxy.

    ``header`` is the one with the client's address, ``trusts`` says whether it is believed of a
    peer.
    """

    def __init__(
        self, notices: Notices, counts: Counter[str], header: str, trusts: Callable[[str], bool]
    ) -> None:
        self._notices, self._counts, self._trusts = notices, counts, trusts
        self._header = header.lower()
        self.headers = (self._header.encode("latin-1"), b"forwarded")
        self._strangers: Counter[str] = Counter()
        self._alone: Counter[str] = Counter()
        self.from_few = True
        self.addresses: set[str] = set()
        self.numbers: set[str] = set()

    def together(self, requests: int) -> None:
        """So many requests came from ``addresses``, the last hundred of them for ``numbers``."""
        seen, several = sorted(self.addresses), len(self.numbers) >= NUMBERS
        self.numbers.clear()
        public = [each for each in seen if ip_address(each).is_global]
        self.from_few = len(seen) <= (1 if public else FEW)
        shown = map(masked_network, seen) if public else seen  # it may be an attacker alone
        if self.from_few and several:
            self._notices.say(
                "PG092", "shared",
                "all of %d requests came from %s: if these are not their clients but a proxy or a "
                "NAT in front, all users share one address and its limits. Let it name the client "
                "in a header (or speak to the app directly), and name it in proxies",
                requests, " and ".join(shown),
            )  # fmt: skip

    def no_address(self, scope: Scope) -> None:
        """A request has no client address at all."""
        self._counts["no_address"] += 1
        peer = (scope.get("client") or ("",))[0]
        self._notices.say(
            "PG073", "no address",
            "requests come without a client address (peer %r): no limit by address holds. Behind "
            "a proxy on a Unix socket, set proxies=[\"unix\"]",
            peer,
        )  # fmt: skip

    def forwarded(self, client: tuple[str, int] | None, address: str) -> None:
        """A header says for whom the peer speaks; does the policy name the peer?"""
        peer, port = client or ("", 0)
        if self._trusts(peer):
            return
        self._counts["forwarded_by_strangers"] += 1
        if client is not None and not port:  # as uvicorn marks an address that it took from there
            self._notices.say(
                "PG074", "server",
                "the server itself reads %s and names clients by it, as anybody wrote it where it "
                "trusts everybody: run uvicorn with --no-proxy-headers, and name the proxy in "
                "proxies",
                self._header,
            )  # fmt: skip
            return
        if len(self._strangers) < REMEMBERED or peer in self._strangers:
            self._strangers[peer] += 1
        # Anybody may send the header from outside, but hardly from inside.
        inside = not ip_address(address).is_global
        if inside or self._strangers[peer] >= IN_A_ROW:
            self._notices.say(
                "PG074", peer if inside else "outside",
                "%s forwards requests for others and is not in proxies: all its users share one "
                "address and its limits. If it is yours, name it",
                peer,
            )  # fmt: skip

    def alone(self, peer: str) -> None:
        """The client is the peer. A proxy that the policy names should name somebody else."""
        if not self._trusts(peer):
            return
        self._counts["proxy_named_nobody"] += 1
        if len(self._alone) < REMEMBERED or peer in self._alone:
            self._alone[peer] += 1
        if self._alone[peer] >= IN_A_ROW:
            self._notices.say(
                "PG088", peer,
                "%s is in proxies, and no %s of its requests names a client: they all share its "
                "address and its limits. Set proxy_header= to what it sends",
                peer, self._header,
            )  # fmt: skip
