"""Bots that go elsewhere as soon as they are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from .. import addresses
from ..actors import Actor, Start, Wait, draws
from ..clock import HOUR, MIDNIGHT
from ..numbering import mobile_blocks, mobile_ranges
from .base import SOLVING_TAKES, Attack, Ground, Shot, call


class Field(NamedTuple):
    """What the attacker has rented in one country."""

    blocks: tuple[tuple[str, ...], ...]
    pools: tuple[tuple[str, ...], ...]


class Aim(NamedTuple):
    """Where one request goes, and after how many moves that was decided."""

    phone: str
    address: str
    moves: int


class Campaign:
    """Where the bots aim, all of them together.

    After a few refusals in a row they try other addresses, after a few more another block, then
    another country, and so on around; a message that the app says it sent settles them again. What
    looks like success is one to them: a shadow ban never makes them move.
    """

    def __init__(self, fields: tuple[Field, ...], patience: int) -> None:
        self._fields = fields
        self._patience = patience
        self._used = [[0] * len(field.blocks) for field in fields]
        self._block = [0] * len(fields)
        self._pool = [0] * len(fields)
        self._country = self._refusals = self._rung = 0
        self._asked = 0
        self.moves = 0
        self._ladder: tuple[Callable[[], None], ...] = (
            self._other_pool,
            self._other_block,
            self._other_country,
        )

    def aim(self) -> Aim | None:
        """The next number and address; None when every number is used up."""
        for _ in range(sum(len(field.blocks) for field in self._fields)):
            country, block = self._country, self._block[self._country]
            field, used = self._fields[country], self._used[country][block]
            if used < len(field.blocks[block]):
                self._used[country][block] += 1
                self._asked += 1
                pool = field.pools[self._pool[country]]
                return Aim(field.blocks[block][used], pool[self._asked % len(pool)], self.moves)
            self._other_block()
            if not self._block[country]:
                self._other_country()
        return None

    def hear(self, aim: Aim, *, sent: bool) -> None:
        """What became of a request; news from a place already left is no news."""
        if sent:
            self._refusals = self._rung = 0
        elif aim.moves == self.moves:
            self._refusals += 1
            if self._refusals >= self._patience:
                self._move()

    def _move(self) -> None:
        self._refusals = 0
        self.moves += 1
        self._ladder[self._rung]()
        self._rung = (self._rung + 1) % len(self._ladder)

    def _other_pool(self) -> None:
        here = self._country
        self._pool[here] = (self._pool[here] + 1) % len(self._fields[here].pools)

    def _other_block(self) -> None:
        here = self._country
        self._block[here] = (self._block[here] + 1) % len(self._fields[here].blocks)

    def _other_country(self) -> None:
        self._country = (self._country + 1) % len(self._fields)


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
        campaign = Campaign(self.fields, self.patience)
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
