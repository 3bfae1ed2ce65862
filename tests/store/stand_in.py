"""The part of a store that a test does not use."""

from __future__ import annotations

from collections.abc import Sequence

from pumpguard.store.base import Answer, Redeemed, Redemption, Refusal, Settlement


class TellsNothing:
    """A store that is never told what became of messages."""

    async def refuse(self, refusals: Sequence[Refusal]) -> Sequence[Answer | None]:
        raise AssertionError("not asked in this test")

    async def redeem(self, redemption: Redemption) -> Redeemed:
        raise AssertionError("not asked in this test")

    async def settle(self, settlements: Sequence[Settlement]) -> int:
        raise AssertionError("not asked in this test")

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        raise AssertionError("not asked in this test")

    async def recall(self, name: str, at: float | None = None) -> str | None:
        raise AssertionError("not asked in this test")
