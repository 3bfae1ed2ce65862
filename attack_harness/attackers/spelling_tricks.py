"""The same few numbers in ever new spellings, at ever new spellings of the path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import phonenumbers

from .. import addresses
from ..actors import Json
from ..clock import HOUR
from ..numbering import mobile_number
from .base import SEND, Attack, Ground, Shot

FULL_WIDTH = str.maketrans("+0123456789", "＋０１２３４５６７８９")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
DEVANAGARI = str.maketrans("0123456789", "०१२३४५६७८९")


def _apart(phone: str, between: str) -> str:
    return phone[:4] + between + between.join(phone[n : n + 2] for n in range(4, len(phone), 2))


def _in_parts(phone: str) -> Json:
    parsed = phonenumbers.parse(phone)
    return {"code": f"{parsed.country_code}", "phone": str(parsed.national_number)}


TRICKS: tuple[Callable[[str], Json], ...] = (
    lambda phone: {"phone": phone},
    lambda phone: {"phone": "00" + phone[1:]},
    lambda phone: {"phone": f"  {phone} "},
    lambda phone: {"phone": _apart(phone, " ")},
    lambda phone: {"phone": _apart(phone, "-")},
    lambda phone: {"phone": _apart(phone, ".")},
    lambda phone: {"phone": _apart(phone, "\N{NO-BREAK SPACE}")},
    lambda phone: {"phone": _apart(phone, "\N{ZERO WIDTH SPACE}")},
    lambda phone: {"phone": phone.translate(FULL_WIDTH)},
    lambda phone: {"phone": phone.translate(ARABIC)},
    lambda phone: {"phone": phone.translate(DEVANAGARI)},
    lambda phone: {"phone": f"tel:{phone}"},
    lambda phone: {"phone": f"{phone};ext=7"},
    lambda phone: {"phone": f"{phone} x1234"},
    _in_parts,
    lambda phone: {**_in_parts(phone), "code": f"+{_in_parts(phone)['code']}"},
)
"""Each writes a number in E.164 differently."""

PATHS = (
    SEND,
    "/otp/%73end",
    "/otp/send?x=1",
    "/otp/./send",
    "//otp/send",
    "/OTP/send",
    "/otp/send/",
)
"""Nearly all requests take the first; what routers make of the others differs."""


@dataclass(frozen=True)
class SpellingTricks:
    """250 numbers of rented ranges, 16 times each, never twice in the same spelling.

    Limits that are keyed by what was typed see 16 numbers where there is one: spaces, 00 for +,
    digits of other scripts, invisible characters, extensions, the number in two fields; limits that
    are keyed by the path are passed by spellings of that (a report to SuperTokens had ``/./`` pass
    a rate limit). The addresses change with each request.
    """

    country: str = "LK"
    numbers: int = 250
    every: float = 120.0
    """Seconds between two requests for a number: behind every cooldown."""
    odd_paths: float = 0.1
    addresses: int = 400
    starts: float = 12 * HOUR
    name: str = "spelling_tricks"

    def plan(self, ground: Ground) -> Attack:
        """Go round the numbers, with another trick each time."""
        rng = ground.rng
        phones: dict[str, None] = {}
        while len(phones) < self.numbers:
            phones.update(dict.fromkeys(ground.rentable([mobile_number(self.country, rng)])))
        proxies = [addresses.residential(self.country, rng) for _ in range(self.addresses)]
        shots = tuple(
            Shot(
                self.every * (n + place / len(phones)),
                phone,
                rng.choice(proxies),
                TRICKS[(n + place) % len(TRICKS)](phone),
                rng.choice(PATHS[1:]) if rng.random() < self.odd_paths else SEND,
            )
            for n in range(len(TRICKS))
            for place, phone in enumerate(phones)
        )
        return Attack(self.name, "Spelling tricks", self.starts, shots)

    def shortened(self, factor: float) -> SpellingTricks:
        """The same tricks with a part of the numbers."""
        return replace(self, numbers=max(1, round(self.numbers * factor)))
