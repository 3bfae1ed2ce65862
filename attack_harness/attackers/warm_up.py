"""A few probes for many ranges, silence, and then a flood of those that answered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .. import addresses
from ..actors import Actor, Call, Start, Wait
from ..clock import HOUR, MIDNIGHT
from ..numbering import mobile_blocks, mobile_ranges
from .base import Attack, Ground, Shot, bot

BLOCK_DIGITS = 3
LOOKS_AFTER = 30.0


@dataclass(frozen=True)
class WarmUpAttack(Attack):
    """An attack that floods only the blocks of which a probe arrived."""

    probes: int = 0
    """So many of the shots, the first ones, are probes."""

    def actors(self) -> Iterator[Start]:
        """One bot per shot; they share what the probes found."""
        accepting: set[str] = set()
        for number, shot in enumerate(self.shots):
            fires = _probe if number < self.probes else _flood
            at = MIDNIGHT + self.starts + shot.after
            yield Start(at, self.name, fires(self, shot, number, accepting))


def _probe(attack: Attack, shot: Shot, number: int, accepting: set[str]) -> Actor:
    yield from bot(attack, shot, number)
    yield Wait(LOOKS_AFTER)
    inbox = yield Call("GET", f"/sim/inbox/{shot.phone}")
    if inbox.json.get("messages"):
        accepting.add(shot.phone[:-BLOCK_DIGITS])


def _flood(attack: Attack, shot: Shot, number: int, accepting: set[str]) -> Actor:
    if shot.phone[:-BLOCK_DIGITS] in accepting:
        yield from bot(attack, shot, number)


@dataclass(frozen=True)
class WarmUp:
    """One to three probes for each of 40 blocks over two hours, three hours of waiting, a flood.

    The behaviour of revenue share fraud by telephone, whose test calls to rented ranges are
    collected and sold as early warnings (Commsrisk): a range is tried before it is used. It
    defeats baselines that are learned from the days before, and it floods only what was let
    through. Each probe comes from an address of its own; solutions are bought.
    """

    country: str = "ID"
    blocks: int = 40
    probing: float = 2 * HOUR
    waiting: float = 3 * HOUR
    rate: float = 4.0
    seconds: float = 1_200.0
    addresses: int = 800
    starts: float = 6 * HOUR
    name: str = "warm_up"

    def plan(self, ground: Ground) -> WarmUpAttack:
        """Draw the probes, then the flood over all blocks."""
        blocks = self._blocks(ground)
        proxies = [addresses.residential(self.country, ground.rng) for _ in range(self.addresses)]
        probed = [phone for block in blocks for phone in block[: ground.rng.choice((1, 2, 3))]]
        ground.rng.shuffle(probed)
        rest = sorted({phone for block in blocks for phone in block} - set(probed))
        flooded = ground.rng.sample(rest, round(self.rate * self.seconds))
        every, flood = self.probing / len(probed), self.probing + self.waiting
        times = [n * every for n in range(len(probed))]
        times += [flood + n / self.rate for n in range(len(flooded))]
        shots = _from_anywhere(times, probed + flooded, proxies, ground)
        return WarmUpAttack(
            self.name,
            "Warm-up and burst",
            self.starts,
            shots,
            buys_solutions=True,
            probes=len(probed),
        )

    def _blocks(self, ground: Ground) -> list[list[str]]:
        """Shuffled blocks of 1,000 adjacent numbers, no two at the same place."""
        found: dict[str, list[str]] = {}
        while len(found) < self.blocks:
            (block,) = mobile_blocks(mobile_ranges(self.country), 1, 10**BLOCK_DIGITS, ground.rng)
            numbers = ground.rentable(block)
            found[block[0]] = ground.rng.sample(numbers, len(numbers))
        return list(found.values())

    def shortened(self, factor: float) -> WarmUp:
        """The same probes and waiting, and a part of the flood."""
        return replace(self, seconds=self.seconds * factor)


def _from_anywhere(
    times: Sequence[float], phones: Sequence[str], proxies: Sequence[str], ground: Ground
) -> tuple[Shot, ...]:
    """The shots in order, the first with addresses of their own, the others with any."""
    unused = iter(proxies)
    return tuple(
        Shot(after, phone, next(unused, None) or ground.rng.choice(proxies))
        for after, phone in zip(times, phones, strict=True)
    )
