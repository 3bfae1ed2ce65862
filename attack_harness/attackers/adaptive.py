"""Bots that go elsewhere as soon as they are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from .. import addresses
from ..actors import Actor, Start, Wait, draws
from ..clock import HOUR, MIDNIGHT
from ..numbering import mobile_blocks, mobile_ranges
from .base import SOLVING_TAKES, Attack, Ground, Shot, call
from .campaign import Campaign, Field


@dataclass(frozen=True)
class AdaptiveAttack(Attack):
    """An attack whose shots are what it would do if nothing were ever refused."""

    fields: tuple[Field, ...] = ()
    patience: int = 3
    workers: int = 1
    seconds: float = 0.0
    seed: int = 0

    @property
    def phones(self) -> frozenset[str]:
        """All numbers that it may ask for."""
        return frozenset(n for field in self.fields for block in field.blocks for n in block)

    def actors(self) -> Iterator[Start]:
        """The workers, who take turns."""
        return self.led_by(Campaign(self.fields, self.patience))

    def led_by(self, campaign: Campaign) -> Iterator[Start]:
        """The same, by a campaign that somebody else watches."""
        pause = self.seconds * self.workers / max(1, len(self.shots))
        for n in range(self.workers):
            at = MIDNIGHT + self.starts + n * pause / self.workers
            yield Start(at, self.name, self._worker(campaign, at, pause, n))

    def _worker(self, campaign: Campaign, at: float, pause: float, number: int) -> Actor:
        rng = draws(self.seed, f"{self.name}:worker", number)
        ends = MIDNIGHT + self.starts + self.seconds
        while at < ends and (aim := campaign.aim()) is not None:
            send = call(Shot(0.0, aim.phone, aim.address))
            reply = yield send
            if reply.challenged and self.buys_solutions:
                yield Wait(rng.uniform(*SOLVING_TAKES))
                reply = yield send._replace(human=True)
            campaign.hear(aim, sent=reply.sent)
            at += pause
            yield Wait(at - reply.at)


@dataclass(frozen=True)
class Adaptive:
    """Two requests a second for an hour, with somewhere else to go after every three refusals.

    Flipdish's engineers watched their attackers move on to other prefixes within minutes of each
    block, and concluded that a block must not be visible. This attacker has blocks in three dear
    countries and several pools of residential addresses in each, and buys solutions.
    """

    countries: tuple[str, ...] = ("KZ", "TJ", "NP")
    blocks: int = 8
    block_size: int = 1_000
    pools: int = 8
    addresses: int = 40
    workers: int = 20
    patience: int = 3
    rate: float = 2.0
    seconds: float = 3_600.0
    starts: float = 22 * HOUR
    name: str = "adaptive"

    def plan(self, ground: Ground) -> AdaptiveAttack:
        """Rent everything, and walk through it as if nobody resisted."""
        fields = tuple(self._field(country, ground) for country in self.countries)
        untroubled = Campaign(fields, self.patience)
        aims = [untroubled.aim() for _ in range(round(self.rate * self.seconds))]
        shots = (Shot(n / self.rate, aim.phone, aim.address) for n, aim in enumerate(aims) if aim)
        return AdaptiveAttack(
            self.name,
            "Adaptive",
            self.starts,
            tuple(shots),
            buys_solutions=True,
            fields=fields,
            patience=self.patience,
            workers=self.workers,
            seconds=self.seconds,
            seed=ground.rng.randrange(2**32),
        )

    def _field(self, country: str, ground: Ground) -> Field:
        rng = ground.rng
        blocks = mobile_blocks(mobile_ranges(country), self.blocks, self.block_size, rng)
        rented = (ground.rentable(block) for block in blocks)
        pools = (
            tuple(addresses.residential(country, rng) for _ in range(self.addresses))
            for _ in range(self.pools)
        )
        return Field(tuple(tuple(rng.sample(b, len(b))) for b in rented), tuple(pools))

    def shortened(self, factor: float) -> Adaptive:
        """The same rate for a part of the time."""
        return replace(self, seconds=self.seconds * factor)
