"""The client's address, as far as it is proven, and the network that it stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from socket import AF_INET, inet_ntop, inet_pton
from typing import TypeAlias

from starlette.types import Scope

from pumpguard.errors import PolicyError

Address: TypeAlias = IPv4Address | IPv6Address

UNIX = "unix"
"""How ``proxies`` names whoever connects over a Unix socket and so has no address."""

WIDEST = {4: 8, 6: 16}
"""The shortest prefixes of public networks that can be somebody's proxies."""

NOBODY = ("", "unknown")
"""Elements that name nobody: a header may end in a comma, and a proxy may not know its peer."""

MAX_HOPS = 32
HEADER_NAME = re.compile(r"(?!forwarded\Z)[!#$%&'*+.^_`|~0-9a-z-]+\Z", re.IGNORECASE | re.ASCII)
PEERS = 1_024
"""Direct peers whose parsed address is cached: mostly our own proxies."""

NAT64 = IPv6Network("64:ff9b::/96")


class TrustedProxies:
    """Finds the client's address: the peer's, or what our own proxies say.

    A forwarding header is believed only when the peer is one of ``proxies``, and then read from
    the right, past our own proxies, to the first other address. What is further left came from the
    client and may say anything. Empty elements and ``unknown`` are skipped. ``unix`` among
    ``proxies`` is a peer without an address: a proxy on this machine's Unix socket. Raises
    `PolicyError` for what is no CIDR, and for a header that is no list of addresses.
    """

    def __init__(self, proxies: Sequence[str] = (), header: str = "x-forwarded-for") -> None:
        if not HEADER_NAME.match(header):
            expected = "a header's name, such as 'x-forwarded-for', whose value is "
            expected += "a list of addresses (RFC 7239's pairs are not read)"
            raise PolicyError("proxy_header", expected, header)
        self._trusts_unix = UNIX in proxies
        networks = [
            _network(proxy, f"proxies.{i}") for i, proxy in enumerate(proxies) if proxy != UNIX
        ]
        # As numbers: asking an ip_network costs ten times as much.
        self._ours = [(n.version, int(n.netmask), int(n.network_address)) for n in networks]
        self._header = header.lower().encode("latin-1")
        self._known_peer = lru_cache(PEERS)(self._hop)

    def client(self, scope: Scope) -> Address | None:
        """The client's address, or ``None`` if the server does not know its peer's."""
        peer = scope.get("client")
        found, trusted = self._known_peer(peer[0] if peer else "")
        if not trusted:
            return found
        # Several header lines are one list, in order.
        lines = [value for name, value in scope["headers"] if name == self._header]
        hops = b",".join(lines).decode("latin-1").split(",")
        for hop in reversed(hops[-MAX_HOPS:]):
            text = hop.strip().lower()
            if text in NOBODY or (self._trusts_unix and text == "unix:"):
                continue  # nginx calls the peer on its own Unix socket so
            address, trusted = self._hop(hop)
            if address is None:
                break  # no proxy of ours writes what cannot be read: somebody else did
            found = address
            if not trusted:
                break
        return found

    def names(self, peer: str) -> bool:
        """Whether this peer is one of our proxies, whose header is believed."""
        return self._known_peer(peer)[1]

    def _hop(self, text: str) -> tuple[Address | None, bool]:
        """One hop's address, and whether it is one of our proxies; no text is a Unix socket."""
        if not text:
            return None, self._trusts_unix
        address = parse_address(text)
        if address is None:
            return None, False
        version, number = address.version, int(address)
        for family, mask, base in self._ours:
            if family == version and number & mask == base:
                return address, True
        return address, False


def _network(text: str, path: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text)
    except ValueError:
        raise PolicyError(path, "a CIDR such as '10.0.0.0/8', or 'unix'", text) from None
    if network.prefixlen < WIDEST[network.version] and not network.is_private:
        expected = "the addresses of your proxies alone: whoever is named chooses his own address"
        raise PolicyError(path, expected, text)
    return network


def parse_address(text: str) -> Address | None:
    """One canonical address per host: no brackets, port or zone, IPv4 in IPv6 taken out."""
    text = text.strip()
    try:
        return IPv4Address(inet_pton(AF_INET, text))  # nearly always, and in C
    except (OSError, ValueError):  # ValueError: a NUL or a lone surrogate in the text
        return _parse_any(text.strip('"'))


def _parse_any(text: str) -> Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (_embedded(address) or address) if isinstance(address, IPv6Address) else address


def text_of(address: Address) -> str:
    """The canonical text of an address, in C where that gives the same."""
    if isinstance(address, IPv4Address):
        return inet_ntop(AF_INET, int(address).to_bytes(4))
    return str(address)


def network_of(address: Address) -> str:
    """What limits are kept by: the address in IPv4, the /64 in IPv6, which one host controls."""
    if isinstance(address, IPv4Address):
        return f"{text_of(address)}/32"
    return str(IPv6Network((int(address), 64), strict=False))


def site_of(address: Address) -> str | None:
    """In IPv6 the /48, which one customer is commonly given; IPv4 has none."""
    if isinstance(address, IPv4Address):
        return None
    return str(IPv6Network((int(address), 48), strict=False))


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 host behind a mapped, 6to4 or NAT64 address: it is one subject, not 2^64."""
    nat64 = IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
    return address.ipv4_mapped or address.sixtofour or nat64
