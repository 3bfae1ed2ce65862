"""Slows down whoever guesses: wrong tokens per network, in the same exact window as any limit."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

from pumpguard.intake.address import network_of
from pumpguard.store.kinds.window import Log, LogLook

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
        self._wrong: dict[str, Log] = {}

    def wait(self, address: IPv4Address | IPv6Address | None) -> float:
        """Seconds until this client may try again; 0 if it may now."""
        return 0.0 if address is None else self._look(network_of(address)).wait / 1000

    def count(self, address: IPv4Address | IPv6Address | None) -> None:
        """This client has said a wrong one."""
        if address is None:
            return
        network = network_of(address)
        log, _ = self._look(network).charged()
        self._wrong.pop(network, None)
        while len(self._wrong) >= REMEMBERED:
            del self._wrong[next(iter(self._wrong))]  # the one that has been quiet for longest
        self._wrong[network] = log

    def _look(self, network: str) -> LogLook:
        now = int(self._clock() * 1000)
        live = tuple(at for at in self._wrong.get(network, ()) if at > now - WINDOW)
        return LogLook(ALLOWED, WINDOW, now, live, WINDOW)
