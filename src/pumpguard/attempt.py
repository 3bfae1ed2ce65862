"""The facts of one request to send a message, and nothing about how they were obtained."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from hashlib import blake2b
from math import ceil
from operator import attrgetter
from typing import Literal

from pumpguard.facts import facts
from pumpguard.masking import masked_network, masked_number

LineType = Literal[
    "mobile", "fixed_line", "fixed_line_or_mobile", "voip", "personal", "toll_free", "premium",
    "shared_cost", "pager", "uan", "voicemail", "satellite", "unknown",
]  # fmt: skip

NetworkKind = Literal["residential", "hosting", "vpn", "proxy", "relay", "tor", "unknown"]


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number in its one canonical form.

    ``e164`` starts with ``+``; ``region`` is the ISO 3166 code or ``None`` for numbers that belong
    to no country (satellite, international freephone); ``valid`` says whether the numbering plan
    allocates the range, not whether somebody answers.
    """

    e164: str
    region: str | None
    calling_code: int
    line_type: LineType = "unknown"
    valid: bool = True

    def prefix(self, drop: int) -> str | None:
        """The block of ``10 ** drop`` numbers around this one, or ``None`` if it would cut into
        the calling code."""
        end = len(self.e164) - drop
        shown = 2 + (self.calling_code > 9) + (self.calling_code > 99)  # the + and the code
        return self.e164[:end] if end > shown else None

    @property
    def national(self) -> str:
        """The digits after the calling code."""
        return self.e164[len(f"+{self.calling_code}") :]

    @property
    def block(self) -> str:
        """The block of 1,000 numbers around this one; of a very short one the calling code."""
        return self.prefix(3) or f"+{self.calling_code}"

    @property
    def country(self) -> str:
        """The region, or the calling code where the number belongs to none."""
        return self.region or f"+{self.calling_code}"

    @property
    def masked(self) -> str:
        """For people, logs and events: the block of 1,000 numbers."""
        return masked_number(self.e164, self.block)


@facts(frozen=True, slots=True)
class Client:
    """Who asked, as far as it is proven. ``None`` means unknown and is never a shared bucket."""

    address: str | None = None
    network: str | None = None
    site: str | None = None
    country: str | None = None
    kind: NetworkKind = "unknown"
    asn: str | None = None

    @property
    def masked(self) -> str:
        """For people and logs: the network without its last part."""
        return "unknown" if self.network is None else masked_network(self.network)


LONGEST_KEY = 128
"""Characters of a value, such as a session's, up to which it is kept as it is."""


def bounded(key: str) -> str:
    """The text itself, or its hash if it is long or not fit to be shown."""
    if len(key) <= LONGEST_KEY and key.isprintable():
        return key
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


@lru_cache(maxsize=4_096)  # there are some hundred prices
def micros(usd: float) -> int:
    """USD as whole micro-dollars (µ$), rounded up: a price is never taken for less than it is."""
    # Rounded first: what floats add by themselves is no micro-dollar.
    return ceil(round(usd * 1e6, 3))


NOTHING: Mapping[str, str] = {}
"""The values of most attempts on dimensions of the policy's own."""


@facts(frozen=True, slots=True)
class Attempt:
    """One request to send a message.

    ``price`` is what the message would cost in USD, ``at`` the Unix time in seconds, ``proved``
    whether the client solved a challenge for this very request. ``extra`` holds its values on the
    dimensions that the policy names itself. ``solution`` names the solved challenge, where it may
    be used only once.
    """

    phone: Phone
    client: Client = Client()
    at: float = 0.0
    price: float | None = None
    session: str | None = None
    account: str | None = None
    device: str | None = None
    proved: bool = False
    extra: Mapping[str, str] = field(default_factory=lambda: NOTHING, hash=False)
    solution: str | None = None

    def subject(self, by: str) -> str | None:
        """This attempt's value on a dimension, or ``None`` where it has none.

        ``by`` is one of `SUBJECTS` or of the policy's own dimensions, a prefix with its depth
        (``prefix:3`` is a block of 1,000 numbers), or several of them joined by ``+``.
        """
        return subject_reader(by)(self)


def _hidden(attempt: Attempt) -> str | None:
    """The kind of the network, if its address does not tell where its users are."""
    kind = attempt.client.kind
    return kind if kind in ("vpn", "proxy", "relay") else None


def _abroad(attempt: Attempt) -> str | None:
    """The kind of the network, unless its users are in the number's country, as far as is known."""
    client = attempt.client
    return client.kind if client.country not in (None, attempt.phone.region) else _hidden(attempt)


PREFIX = "prefix:"

OWN_NAME = re.compile(r"(?!prefix\Z)[a-z][a-z0-9_]{0,31}\Z")
"""How a policy may call a dimension of its own."""

SUBJECTS: dict[str, Callable[[Attempt], str | None]] = {
    "phone": attrgetter("phone.e164"),
    # `Phone.country`, without a call more: it is asked about every request.
    "country": lambda attempt: attempt.phone.region or f"+{attempt.phone.calling_code}",
    "calling_code": lambda attempt: f"+{attempt.phone.calling_code}",
    "network": attrgetter("client.network"),  # one IPv4 address or one IPv6 /64
    "site": attrgetter("client.site"),  # one IPv6 /48
    "client_country": attrgetter("client.country"),
    "client_abroad": _abroad,
    "client_hidden": _hidden,
    "asn": attrgetter("client.asn"),  # the system that announces the address
    "session": attrgetter("session"),
    "account": attrgetter("account"),
    "device": attrgetter("device"),
    "solution": attrgetter("solution"),  # the challenge that was solved for the request
    "everything": lambda attempt: "everything",
}
"""What counters can be kept by, beside prefixes and a policy's own dimensions, and how each is read
off an attempt."""


@cache
def subject_reader(by: str) -> Callable[[Attempt], str | None]:
    """How to read ``by`` off an attempt. Raises `ValueError` for what is no dimension."""
    if by in SUBJECTS:
        return SUBJECTS[by]
    if OWN_NAME.match(by):
        return lambda attempt: attempt.extra.get(by)
    if "+" not in by:
        depth = int(by.removeprefix(PREFIX))
        return lambda attempt: attempt.phone.prefix(depth)
    readers = [subject_reader(part) for part in by.split("+")]

    def combined(attempt: Attempt) -> str | None:
        together = ""
        for read in readers:
            part = read(attempt)
            if part is None:
                return None
            together += f"{len(part)}:{part}"  # so that no two combinations run together
        return together

    return combined
