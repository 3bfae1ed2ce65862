"""Every detector off: what credit and budgets alone let each attack cost, and whom they harm."""

from __future__ import annotations

from pathlib import Path

from pumpguard import Policy
from pumpguard.money.exposure import exposure

from ..attackers import FAMILIES, Attack
from ..clock import HOUR
from ..figures import Table, money, share
from ..world import build
from .stage import Played, on_stage

ONLY_MONEY = Path(__file__).with_name("only_money.toml")


async def study(seed: int, users: int, part: float) -> Table:
    """A first day: nobody is known, no credit is earned; all families attack."""
    policy = Policy.from_toml(ONLY_MONEY)
    world = build(seed, users, tuple(FAMILIES), part)
    outcomes, everybody = world.cast()
    played = await on_stage(everybody, policy=ONLY_MONEY, seed=seed)
    challenged = sum(outcome.challenged for outcome in outcomes)
    refused = sum(not outcome.got_code for outcome in outcomes)
    return {
        "users": len(outcomes),
        "challenged": challenged,
        "challenged_share": share(challenged, len(outcomes)),
        "refused": refused,
        "refused_share": share(refused, len(outcomes)),
        "attacks": [_attack(policy, attack, played) for attack in world.attacks],
    }


def _attack(policy: Policy, attack: Attack, played: Played) -> Table:
    countries = sorted({message.country for message in played.paid(attack)})
    cap = exposure(policy, countries=countries or None)
    dearest = played.dearest(attack, HOUR)
    spent = played.spend(attack)
    return {
        "name": attack.name,
        "countries": countries,
        "spent": money(spent),
        "dearest_hour": money(dearest),
        "cap_hour": money(min(cap.hour.usd, cap.unverified.hour)),
        "cap_day": money(min(cap.day.usd, cap.unverified.day)),
        "under": dearest <= min(cap.hour.usd, cap.unverified.hour)
        and spent <= min(cap.day.usd, cap.unverified.day),
    }
