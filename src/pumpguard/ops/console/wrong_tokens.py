"""Slows down whoever guesses: wrong tokens per network, in the same exact window as any limit."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from pumpguard.intake.address import network_of

ALLOWED, WINDOW = 5, 600_000
"""Wrong tokens, in so many milliseconds. With tokens of 144 bits it matters to the log only."""

REMEMBERED = 10_000


class WrongTokens:
    """Counts wrong tokens in this process. ``clock`` gives Unix seconds.

    Clients whose address is unknown are not held: they would all be one, and anybody could lock
    the operator out.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: dict[str, tuple[int, ...]] = {}
        """Times in ms, by network, oldest first."""

    def wait(self, address: IPv4Address | IPv6Address | None) -> float:
        """Seconds until this client may try again; 0 if it may now."""
        if address is None:
            return 0.0
        now = self._now()
        recent = self._recent(network_of(address), now)
        return 0.0 if len(recent) < ALLOWED else (recent[-ALLOWED] + WINDOW - now) / 1000

    def count(self, address: IPv4Address | IPv6Address | None) -> None:
        """This client has said a wrong one."""
        if address is None:
            return
        network, now = network_of(address), self._now()
        recent = (*self._recent(network, now), now)[-ALLOWED:]
        self._wrong.pop(network, None)
        while len(self._wrong) >= REMEMBERED:
            del self._wrong[next(iter(self._wrong))]  # the one that has been quiet for longest
        self._wrong[network] = recent

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def _recent(self, network: str, now: int) -> tuple[int, ...]:
        return tuple(at for at in self._wrong.get(network, ()) if at > now - WINDOW)
