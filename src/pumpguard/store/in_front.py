"""What stands in front of a store, and passes on to it what it does not answer itself."""

from __future__ import annotations

from collections.abc import Sequence

from pumpguard.store.base import Answer, Redeemed, Redemption, Refusal, Settlement, Store


class StoreInFront:
    """A store that passes on to another, ``store``, what it does not answer itself."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.overrides = store.overrides

    async def refuse(self, refusals: Sequence[Refusal]) -> Sequence[Answer | None]:
        return await self.store.refuse(refusals)

    async def redeem(self, redemption: Redemption) -> Redeemed:
        return await self.store.redeem(redemption)

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        return await self.store.settle(settlements)

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        await self.store.remember(name, text, seconds, at)

    async def recall(self, name: str, at: float | None = None) -> str | None:
        return await self.store.recall(name, at)

    async def aclose(self) -> None:
        await self.store.aclose()


def behind(store: Store) -> Store:
    """The store that counts, behind those that stand in front of it."""
    while isinstance(store, StoreInFront):
        store = store.store
    return store
