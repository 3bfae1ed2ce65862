"""Where to go next: what adaptive bots decide together after each reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


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
