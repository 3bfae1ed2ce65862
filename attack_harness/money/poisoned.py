"""Conversion poisoning against the rule that everybody publishes, and against the guard."""

from __future__ import annotations

from ..actors import draws
from ..attackers.base import Ground
from ..attackers.poisoning import Poisoning
from ..figures import Table, money, share
from .plain_conversion import PlainConversion
from .stage import on_stage

SHARES = (0.0, 0.3, 0.5, 0.7, 0.9)


async def study(seed: int, hours: float) -> list[Table]:
    """The same attack with more and more of its codes entered; USD per hour."""
    return [await _one(seed, hours, entered) for entered in SHARES]


async def _one(seed: int, hours: float, entered: float) -> Table:
    family = Poisoning(verified=entered, hours=hours)
    attack = family.plan(Ground(draws(seed, family.name)))
    open_ = await on_stage(attack.actors(), guard=False, seed=seed)
    plain = await on_stage(attack.actors(), guard=False, seed=seed, around=PlainConversion)
    ours = await on_stage(attack.actors(), seed=seed)
    losses = [played.spend(attack) / hours for played in (open_, plain, ours)]
    return {
        "entered": entered,
        "undefended": money(losses[0]),
        "plain_rule": money(losses[1]),
        "pumpguard": money(losses[2]),
        "to_plain": share(losses[2], losses[1]),
    }
