"""Requests of real users, the same on every run: many phones, many addresses, all of them valid.

They are spread over whole mobile plans and over the address space, so that the default limits
admit nearly all of them: what is measured is the full path of an admitted request.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle, islice
from typing import Any

from attack_harness.addresses import residential
from attack_harness.numbering import mobile_ranges

HOME = ("GB", "US", "DE", "IN", "IT")
PATH = "/otp/send"
VERIFY = "/otp/verify"
COUNT = 50_000
SEED = 7


@dataclass(frozen=True, slots=True)
class Request:
    """One user who asks for a code."""

    phone: str
    address: str
    body: bytes

    def scope(self) -> dict[str, Any]:
        """A fresh ASGI scope, as a server makes one."""
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [
                (b"host", b"bench"),
                (b"user-agent", b"bench/1"),
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(self.body)),
            ],
            "client": (self.address, 40_000),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }


def request(phone: str, address: str) -> Request:
    """The request for a code to this phone from this address."""
    return Request(phone, address, b'{"phone":"%s"}' % phone.encode())


@cache
def traffic(count: int = COUNT, seed: int = SEED) -> tuple[Request, ...]:
    """So many requests, no phone and no address twice, each phone from its own country."""
    rng = random.Random(seed)
    phones: set[str] = set()
    addresses: set[str] = set()
    found: list[Request] = []
    while len(found) < count:
        country = HOME[len(found) % len(HOME)]
        chosen = rng.choice(mobile_ranges(country))
        phone = chosen.number(rng.randrange(chosen.size))
        address = residential(country, rng)
        if phone not in phones and address not in addresses:
            phones.add(phone)
            addresses.add(address)
            found.append(request(phone, address))
    return tuple(found)


def endless(requests: Sequence[Request], start: int = 0) -> Iterator[Request]:
    """The requests in a circle, from a place of one's own."""
    return islice(cycle(requests), start % max(1, len(requests)), None)
