"""So few messages that no alarm about volume ever rings, all day and all night."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .. import addresses
from ..clock import DAY
from ..countries import HOURS
from ..numbering import largest_carrier, mobile_blocks
from .base import Attack, Ground, Shot


@dataclass(frozen=True)
class LowAndSlow:
    """One message a minute on average, in the rhythm of a day, for as long as the simulation lasts.

    A Hong Kong facilities app sent about a million messages in 5 days: 2.3 a second
    (``per_minute=138``), hundreds of addresses with one or two requests each. One a minute is the
    other end of what a pumper may live on, and 1,440 messages a day are lost in an app's own
    traffic. The numbers are of rented blocks in random order, the addresses of the same country;
    solutions are bought.
    """

    country: str = "UZ"
    ahead: float = 5.0
    """Hours that the country's clocks are ahead of UTC."""
    per_minute: float = 1.0
    days: float | None = None
    """As long as the simulation, unless told otherwise."""
    part: float = 1.0
    blocks: int = 3
    block_size: int = 10_000
    starts: float = 0.0
    name: str = "low_and_slow"

    def plan(self, ground: Ground) -> Attack:
        """Draw a request for each of the minutes, more of them while the country is awake."""
        seconds = (self.days or ground.days) * DAY * self.part
        times = self._times(round(self.per_minute * seconds / 60), seconds, ground)
        blocks = mobile_blocks(
            largest_carrier(self.country), self.blocks, self.block_size, ground.rng
        )
        numbers = ground.rentable([n for block in blocks for n in block])
        phones = [ground.rng.choice(numbers) for _ in times]
        shots = tuple(map(Shot, times, phones, self._origins(len(times), ground)))
        return Attack(self.name, "Low and slow", self.starts, shots, buys_solutions=True)

    def _origins(self, count: int, ground: Ground) -> list[str]:
        """Distinct addresses, each once or twice in a row."""
        origins: list[str] = []
        used: set[str] = set()
        while len(origins) < count:
            address = addresses.residential(self.country, ground.rng)
            if address not in used:
                used.add(address)
                origins += [address] * ground.rng.choice((1, 2))
        return origins[:count]

    def _times(self, count: int, seconds: float, ground: Ground) -> list[float]:
        """Sorted times; a moment is kept as often as its hour is busy."""
        times: list[float] = []
        while len(times) < count:
            after = round(ground.rng.uniform(0, seconds), 3)
            hour = int((self.starts + after) / 3_600 + self.ahead) % 24
            if ground.rng.random() < HOURS[hour] / max(HOURS):
                times.append(after)
        return sorted(times)

    def shortened(self, factor: float) -> LowAndSlow:
        """The same rate for a part of the time."""
        return replace(self, part=self.part * factor)
