"""Whether requests come from where people do."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pumpguard.attempt import Attempt, Phone

SAMPLE, ENOUGH = 300, 20
"""The newest requests that are looked at, and before how many nothing is said of them."""

RANGES, NETWORKS = 5, 10
"""Ranges of numbers, and networks, that a crowd is spread over at least: so many equally large ones
would have as many pairs alike. No source: a country's 24 largest ranges, taken by Zipf, are nine,
and whoever rents numbers has some blocks in one to three."""

DIGITS = 4
"""Of the national number: a range of a million where numbers have ten digits, and of ten thousand
where they have eight."""


class Crowd:
    """Whether the newest requests come from where people do: from many ranges and networks.

    ``monitored``: the rules that need verifications only monitor for those that do.
    """

    def __init__(self) -> None:
        self.monitored = False
        self._newest: deque[tuple[str, str | None]] = deque()
        self._ranges: dict[str, int] = {}
        self._networks: dict[str | None, int] = {}
        # How many pairs of requests are alike in their range, and in their network.
        self._same_range = self._same_network = 0

    def lifts(self, attempt: Attempt) -> bool:
        """Count a request; whether they are ``monitored`` and it is like one of a crowd. It is not
        if too few ranges or networks have most of all requests, and its own is one of these."""
        phone, ranges, networks, newest = attempt.phone, self._ranges, self._networks, self._newest
        code = phone.calling_code
        place = phone.e164[: 2 + (code > 9) + (code > 99) + DIGITS]
        network = attempt.client.network
        newest.append((place, network))
        self._same_range += (here := ranges.get(place, 0))
        self._same_network += (there := networks.get(network, 0))
        ranges[place], networks[network] = here + 1, there + 1
        total = len(newest)
        if total > SAMPLE:
            total, (place, old) = SAMPLE, newest.popleft()
            # Two threads may have counted one of them once.
            self._same_range -= (left := ranges.pop(place, 1) - 1)
            if left:
                ranges[place] = left
            self._same_network -= (left := networks.pop(old, 1) - 1)
            if left:
                networks[old] = left
        if total < ENOUGH or not self.monitored:
            return self.monitored
        pairs = total * (total - 1) // 2
        few = self._same_range * RANGES > pairs and here * 2 * RANGES >= total
        return not few and (
            network is None
            or self._same_network * NETWORKS <= pairs
            or there * 2 * NETWORKS < total
        )

    def stands_out(self, phone: Phone) -> bool:
        """Whether too few ranges have most requests, and this number is of one of them."""
        code, total = phone.calling_code, len(self._newest)
        here = self._ranges.get(phone.e164[: 2 + (code > 9) + (code > 99) + DIGITS], 0)
        few = self._same_range * RANGES > total * (total - 1) // 2
        return few and here * 2 * RANGES > total >= ENOUGH
