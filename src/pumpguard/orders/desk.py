"""Where orders are given: the same for the command line, a console, and the app itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from pumpguard.errors import OrdersError, StoreError
from pumpguard.orders.document import Orders, mark
from pumpguard.orders.ladder import Ladder
from pumpguard.orders.lists import (
    KINDS,
    Hash,
    Kind,
    Listing,
    Verdict,
    check_country,
    subject,
)
from pumpguard.orders.posture import EVERYWHERE, Order, Posture
from pumpguard.store.orders import OrderStore, version_of

TURNS = 10
"""How often somebody else may be quicker before giving up."""

LONGEST = 366 * 86_400
"""Seconds that an order with an end may stand."""


class Desk:
    """Gives orders, each in one step: it is there whole, or not at all.

    ``clock`` gives Unix seconds, ``region`` is where numbers without a calling code are from.
    ``on_change`` is called after each writing, also one whose outcome is unknown.
    Methods return all orders as they are then. They raise `OrdersError` for what cannot be
    understood, and `StoreError` when the store does not say whether it has written; ask `show`.
    """

    def __init__(
        self,
        store: OrderStore,
        hashed: Hash,
        *,
        region: str | None = None,
        clock: Callable[[], float] = time.time,
        on_change: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._hashed = hashed
        self._region = region
        self._clock = clock
        self._on_change = on_change

    def now(self) -> float:
        """What time it is at the desk, in Unix seconds."""
        return self._clock()

    async def show(self) -> Orders:
        """All orders that stand."""
        return Orders.parse(await self._store.read()).current(self._clock())

    async def posture(
        self,
        posture: Posture | str,
        *,
        author: str,
        reason: str = "",
        country: str | None = None,
        seconds: float | None = None,
        then: Posture | str = Posture.NORMAL,
        anew: bool = False,
    ) -> Orders:
        """Order a posture, everywhere or for one country, for so many seconds or until further
        notice; ``then`` is what it steps down to. ``anew`` forgets orders that cannot be read."""
        at = self._clock()
        order = Order(
            posture=_posture(posture, "posture"),
            author=author,
            at=at,
            reason=reason,
            until=_until(at, seconds),
            then=_posture(then, "then"),
        )
        if seconds is None and order.then is not Posture.NORMAL:
            raise OrdersError("then", "an end, after which it steps down")
        scope = check_country(country) if country else EVERYWHERE
        return await self._change(lambda orders: orders.ordering(order, scope), anew)

    async def allow(
        self,
        kind: Kind,
        value: str,
        *,
        author: str,
        reason: str = "",
        seconds: float | None = None,
        spends_freely: bool = False,
    ) -> Orders:
        """Never refuse this number, prefix, network, country or account, but when closed; and
        unless it ``spends_freely``, when a budget is spent."""
        return await self._list("allow", kind, value, author, reason, seconds, spends_freely)

    async def deny(
        self,
        kind: Kind,
        value: str,
        *,
        author: str,
        reason: str = "",
        seconds: float | None = None,
    ) -> Orders:
        """Refuse it, unless it is allowed by another name."""
        return await self._list("deny", kind, value, author, reason, seconds, False)

    async def remove(self, kind: Kind, value: str) -> Orders:
        """Take it off the list. Raises `OrdersError` if it is on none."""
        return await self._strike(kind, *self._subject(kind, value))

    async def strike(self, listing: Listing) -> Orders:
        """The same, for who sees the list, where numbers are hashes."""
        return await self._strike(listing.kind, listing.value, listing.shown)

    async def climb(self, ladder: Ladder, code: str) -> Orders:
        """Let the ladder answer a finding; what it does is up to it."""
        now = self._clock()

        def climbed(orders: Orders) -> Orders:
            step = None if orders.held(now) else ladder.climbed(orders.step, now, code)
            return orders if step is None else replace(orders, step=step)

        return await self._change(climbed)

    async def _list(
        self,
        verdict: Verdict,
        kind: Kind,
        value: str,
        author: str,
        reason: str,
        seconds: float | None,
        spends_freely: bool,
    ) -> Orders:
        at = self._clock()
        name, shown = self._subject(kind, value)
        listing = Listing(
            verdict=verdict, kind=kind, value=name, shown=shown, author=author, at=at,
            reason=reason, until=_until(at, seconds), spends_freely=spends_freely,
        )  # fmt: skip
        return await self._change(lambda orders: orders.listing(listing))

    async def _strike(self, kind: Kind, name: str, shown: str) -> Orders:
        def removed(orders: Orders) -> Orders:
            left = orders.without(kind, name)
            if left.listings == orders.listings:
                raise OrdersError(kind, "one that is listed", shown)
            return left

        return await self._change(removed)

    def _subject(self, kind: Kind, value: str) -> tuple[str, str]:
        if kind not in KINDS:
            raise OrdersError("kind", f"one of {', '.join(KINDS)}", kind)
        return subject(kind, value, self._hashed, self._region)

    async def _change(self, change: Callable[[Orders], Orders], anew: bool = False) -> Orders:
        """Read, change, and write if nobody else has written meanwhile; else try again."""
        for _ in range(TURNS):
            there = _parsed(await self._store.read(), anew)
            wanted = change(there.current(self._clock()))
            if wanted == there:
                return there
            try:
                version = await self._store.write(mark(there.version), wanted.text())
            finally:
                if self._on_change is not None:
                    self._on_change()
            if version is not None:
                return replace(wanted, version=int.from_bytes(version))
        raise StoreError("others keep changing the orders; nothing was written")


def _parsed(document: bytes, anew: bool) -> Orders:
    try:
        return Orders.parse(document)
    except OrdersError:
        if not anew:
            raise
    return Orders(version=version_of(document))


def _until(at: float, seconds: float | None) -> float | None:
    if seconds is None:
        return None
    if not 0 < seconds <= LONGEST:
        raise OrdersError("seconds", f"above 0 and at most {LONGEST}", seconds)
    return at + seconds


def _posture(name: Posture | str, path: str) -> Posture:
    for posture in Posture:
        if name in (posture, str(posture)):
            return posture
    raise OrdersError(path, f"one of {', '.join(map(str, Posture))}", name)
