"""What is measured, one question per module."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from ..kit.rounds import Say, System
from ..kit.traffic import endless, traffic
from ..systems import PLENTY, Variant
from ..systems.app import BARE


@dataclass(frozen=True, slots=True)
class Bench:
    """How thorough a run is, and whom it tells of its progress."""

    quick: bool = False
    say: Say = lambda _: None
    seed: int = 1
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def pick(self, quick: int, full: int) -> int:
        """One number for a quick run, another for a full one."""
        return quick if self.quick else full


async def set_up(variants: Sequence[Variant], url: str, stack: AsyncExitStack) -> list[System]:
    """The variants' apps, each at its own place in the traffic."""
    requests = traffic()
    step = len(requests) // max(1, len(variants))
    return [
        System(each.name, await each.build(url, stack, PLENTY), endless(requests, step * place))
        for place, each in enumerate(variants)
    ]


async def set_up_bare(stack: AsyncExitStack) -> System:
    """The bare app."""
    return System(BARE.name, await BARE.build("", stack, PLENTY), endless(traffic()))
