"""How near the optimal attacker comes to the printed bound, and that he never passes it."""

from __future__ import annotations

from examples.target_app.protection import default_policy
from pumpguard.money.exposure import exposure

from ..actors import draws
from ..attackers.base import Ground
from ..attackers.optimal import Optimal
from ..figures import Table, money, share
from .stage import on_stage


async def study(seed: int, hours: float) -> Table:
    """The attacker alone, against the default policy, for an hour or a day."""
    policy = default_policy()
    bound = exposure(policy)
    usd = bound.hour.usd if hours <= 1 else bound.day.usd
    family = Optimal(policy, hours=hours, starts=0.0 if hours > 1 else 2 * 3_600)
    attack = family.plan(Ground(draws(seed, family.name)))
    played = await on_stage(attack.actors(), seed=seed)
    spent = played.spend(attack)
    return {
        "hours": hours,
        "country": family.aim()[0],
        "numbers": len(attack.phones),
        "requests": len(played.log.exchanges),
        "messages": len(played.books.ledger),
        "bound": money(usd),
        "bound_by": sorted((bound.hour if hours <= 1 else bound.day).rules),
        "spent": money(spent),
        "reached": share(spent, usd),
    }
