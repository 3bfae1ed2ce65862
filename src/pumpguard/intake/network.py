"""Country and kind of an address, from real data: packaged, or MaxMind's."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Any, Protocol

from pumpguard.attempt import NetworkKind
from pumpguard.errors import PolicyError
from pumpguard.intake.address import Address, text_of
from pumpguard.notices import Notices

NO_COUNTRIES = ("AP", "EU")
"""What registries write for a block that serves a whole continent."""

KIND_OF_ORIGIN: dict[str, NetworkKind] = {
    "hosting": "hosting",
    "bot": "hosting",
    "cdn": "vpn",  # people reach us from a CDN's addresses through its relay (Apple, Cloudflare)
    "vpn": "vpn",
    "tor": "tor",
}

RELAYS = ("Apple Private Relay",)
"""Providers that know who their users are, and share few addresses out among many of them."""

KIND_OF_FLAG: dict[str, NetworkKind] = {
    "is_tor_exit_node": "tor",
    "is_anonymous_vpn": "vpn",
    "is_hosting_provider": "hosting",
    "is_public_proxy": "proxy",
    "is_residential_proxy": "proxy",
}
"""MaxMind's anonymity flags, the strongest first."""

INTERVAL = 60.0
"""Seconds between two looks at a file."""

THREAD = "pumpguard-database"

SAMPLE = [IPv4Address((first << 24) + 0x010203) for first in range(256)]
"""Looked up in a file that was just read: if one of them fails, it is damaged."""

NO_DATA = "PG001"

logger = logging.getLogger("pumpguard.intake")


class Networks(Protocol):
    """Looks addresses up. Anything with these two methods can be passed as ``networks=``; a third
    one, ``asn(address)``, may say the number of the system that announces it, such as ``AS64500``.
    """

    def country(self, address: Address) -> str | None:
        """The ISO 3166 country, or ``None`` if it is not known."""
        return None

    def kind(self, address: Address) -> NetworkKind:
        """What lives there."""
        return "unknown"


class UnknownNetworks(Networks):
    """Knows nothing: the rules about countries and kinds of network find nothing."""


class PackagedNetworks:
    """The data inside the wheels ``iptocc`` and ``iporigin`` (the ``[geo]`` extra).

    ``iptocc`` says to which country the registries assigned a block, which is mostly but not
    always where it is used. ``iporigin`` knows hosting companies, CDNs, Tor and some VPNs from
    their own published ranges; that it does not know an address proves nothing.
    """

    def __init__(self) -> None:
        import iptocc
        from iporigin import core

        # What iporigin.classify looks in, after a check for reserved addresses that takes most of
        # its time; here only the few that are found are checked. A test holds the two equal.
        untyped: Any = core
        self._find: Callable[[int, int], Any] = untyped.dataset().find
        self._country_code: Callable[[str], Any] = iptocc.country_code

    def country(self, address: Address) -> str | None:
        found: str | None = self._country_code(text_of(address))
        return None if found in NO_COUNTRIES else found

    def kind(self, address: Address) -> NetworkKind:
        found = self._find(int(address), address.version)
        if found is None or not address.is_global:
            return "unknown"
        return "relay" if found[0] in RELAYS else KIND_OF_ORIGIN.get(found[1], "unknown")


class MaxMindNetworks:
    """MaxMind databases that you supply: Country (or City), Anonymous IP, ASN, any of them alone.

    Each process holds the files in memory, and reads one again within two minutes of its change
    (`Database`). Files with a flat ``country_code``, as some free ones have, are
    read too. ``clock`` gives seconds of any kind. Raises `PolicyError` for a file that cannot be
    opened or has damaged data.
    """

    def __init__(
        self,
        *,
        country: str | Path | None = None,
        anonymous: str | Path | None = None,
        asn: str | Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        files = {"country": country, "anonymous": anonymous, "asn": asn}
        self._databases = {
            name: Database(path, f"networks.{name}", clock)
            for name, path in files.items()
            if path is not None
        }

    def country(self, address: Address) -> str | None:
        """The country, or where the block is registered if that is all that is known."""
        record = self._record("country", address)
        place = record.get("country") or record.get("registered_country")
        found: str | None = place.get("iso_code") if isinstance(place, dict) else None
        return found or record.get("country_code")

    def kind(self, address: Address) -> NetworkKind:
        record = self._record("anonymous", address)
        return next((kind for flag, kind in KIND_OF_FLAG.items() if record.get(flag)), "unknown")

    def asn(self, address: Address) -> str | None:
        number = self._record("asn", address).get("autonomous_system_number")
        return f"AS{number}" if number else None

    def _record(self, name: str, address: Address) -> Any:
        database = self._databases.get(name)
        return {} if database is None else database.get(address)


class Database:
    """Records by address, from a file that is looked at once a minute and read again if it has
    changed, in a thread of its own.

    The whole file is held in memory, for a moment twice: the pages of a mapped file that somebody
    truncates end the process (SIGBUS). A file counts as written when two looks in a row see the
    same; one that cannot be read, or has damaged data, is said (``PG086``) and the data before it
    is kept. ``clock`` gives seconds of any kind. Raises `PolicyError` if there is no data yet.
    """

    def __init__(
        self, path: str | Path, where: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path, self._clock, self._notices = path, clock, Notices(clock)
        self._look_at = clock() + INTERVAL
        try:
            self._state = self._read = _state(path)
            self._reader = _opened(path)
        except Exception as error:
            raise PolicyError(where, f"a MaxMind database ({error})", str(path)) from None

    def get(self, address: Address) -> Any:
        """The record, or an empty one. Raises whatever damaged data make of it."""
        now = self._clock()
        if now >= self._look_at:
            self._look_at = now + INTERVAL
            Thread(target=self._look, name=THREAD, daemon=True).start()
        reader = self._reader
        if address.version > reader.metadata().ip_version:
            return {}  # IPv6, and the database has only IPv4 (4 and 6 are what both count by)
        return reader.get(address) or {}

    def _look(self) -> None:
        try:
            before, self._state = self._state, _state(self._path)
            if self._state == self._read or self._state != before:
                return  # nothing new, or somebody may still be writing
            reader = _opened(self._path)
            if _state(self._path) == before:
                self._reader, self._read = reader, before
        except Exception as error:
            text = "%s cannot be read (%s: %s); the data read before are used"
            name = type(error).__name__
            self._notices.say("PG086", str(self._path), text, self._path, name, error)


def _state(path: str | Path) -> tuple[int, ...]:
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _opened(path: str | Path) -> Any:
    # geoip2's own Reader refuses files whose type it does not know; its reader underneath does not.
    import maxminddb

    reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
    for address in SAMPLE:
        reader.get(address)
    return reader


def asn_of(networks: Networks) -> Callable[[Address], str | None] | None:
    """What says which system announces an address, where the data knows it."""
    find: Callable[[Address], str | None] | None = getattr(networks, "asn", None)
    return find


def default_networks() -> Networks:
    """The packaged data if the ``[geo]`` extra is installed; else none, and a warning says so."""
    try:
        return PackagedNetworks()
    except ImportError:
        logger.warning(
            "%s no address data: the rules geo_mismatch and network find nothing; "
            "pip install 'pumpguard[geo]' or pass networks=",
            NO_DATA,
        )
        return UnknownNetworks()
