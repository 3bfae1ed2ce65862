"""Random budgets, lines of credit, and rules beside them, for `exposure_search`."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Any, Literal

from pumpguard.decision import Mode
from pumpguard.outcomes import Outcomes
from pumpguard.rules import Budget, Conversion, Credit, Rule
from pumpguard.rules.hold_out import HoldOut

RISKY = ("BD", "JE")
LINES = ("everything", "country", "calling_code", "network", "prefix:3", "session", "phone+network")
UNITS = (0.01, 0.01, 0.01, 0.05, 0.000002)
"""USD that most messages of an example cost. Limits are a few of them: they get filled."""

MESSAGES = (1, 2, 3, 5, 8, 12, 20)
BESIDE = (1, 1, 1, 0.1, 0.75, 5.01)
"""What other regions' prices may be, in units."""


def random_money(random: Random, unit: float) -> tuple[list[Rule], Outcomes]:
    """A budget or a line of credit, or several, with the rules and settings that go with them."""
    rules: list[Rule] = []
    if random.random() < 0.7:
        rules.append(_budget(random, "budget", unit))
    if not rules or random.random() < 0.5:
        rules.append(_credit(random, unit))
    if random.random() < 0.2:
        rules.append(_budget(random, "second", unit))
    if random.random() < 0.3:
        rules.append(_conversion(random))
    if random.random() < 0.5:
        seconds, days = random.choice([60, 900, 5_000, 100_000]), random.choice([1, 90])
        return rules, Outcomes(seconds=seconds, known_days=days)
    return rules, Outcomes()


def random_prices(random: Random, regions: Iterable[str], unit: float) -> dict[str, float]:
    """USD by region: often the same everywhere."""
    beside = (1,) if random.random() < 0.5 else BESIDE
    return {region: unit * random.choice(beside) for region in regions}


def random_refunds(random: Random, unit: float) -> dict[str, Any]:
    """A policy's settings of what failed messages may give back."""
    back, share = unit * random.choice([0.5, *MESSAGES]), random.choice([0.05, 0.5, 1.0])
    return {
        "daily_budget": round(6 * back / share, 9),
        "refund_share": random.choice([0.0, share, share, share]),
    }


def random_hold_out(random: Random, unit: float) -> HoldOut | None:
    """Seldom: the other bounds are the harder ones."""
    if random.random() < 0.8:
        return None
    day = round(unit * random.choice(MESSAGES), 6)
    return HoldOut(share=random.choice([0.2, 1.0]), day=day)


def _budget(random: Random, name: str, unit: float) -> Budget:
    hour = round(unit * random.choice(MESSAGES), 6)
    day = round(hour * random.choice([1, 1, 1.5, 3, 6]), 6)
    only, spared = _regions(random)
    by: list[Literal["everything", "country", "calling_code"]] = [
        "everything", "everything", "everything", "country", "calling_code",
    ]  # fmt: skip
    return Budget(
        day=day,
        hour=None if day == 6 * hour else hour,
        month=random.choice([None, day, day * 1.5]),
        by=random.choice(by),
        reserved=random.choice([0.0, 0.0, 0.0, 0.2, 0.5, 0.9]),
        challenge=random.choice([0.3, 0.8, 1.0]),
        verified=random.choice([1.0, 1.0, 0.5, 0.25, 0.1]),
        high_risk_factor=random.choice([1.0, 1.0, 0.2, 0.5]),
        high_risk=RISKY,
        regions=only,
        except_regions=spared,
        name=name,
        mode=_mode(random),
        action="challenge" if random.random() < 0.05 else "throttle",
    )


def _credit(random: Random, unit: float) -> Credit:
    only, spared = _regions(random)
    lines = random.sample(LINES, random.randint(1, 3))
    return Credit(
        lines={by: round(unit * random.choice(MESSAGES), 6) for by in lines},
        ratio=random.choice([0.0, 0.3, 1.0]),
        seconds=random.choice([600, 3_600, 50_000, 86_400]),
        reserved=random.choice([0.0, 0.0, 0.25, 1.0]),
        high_risk_factor=random.choice([1.0, 1.0, 0.1, 0.5]),
        high_risk=RISKY,
        regions=only,
        except_regions=spared,
        mode=_mode(random),
    )


def _conversion(random: Random) -> Conversion:
    return Conversion(
        by=random.choice([("country",), ("network", "prefix:3"), ("everything", "phone")]),
        h=random.choice([2.0, 12.0]),
        minimum=random.choice([2, 20]),
        seconds=random.choice([60, 600]),
        refuse_for=random.choice([60, 1_800]),
        mode=_mode(random),
    )


def _regions(random: Random) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return random.choice([((), ()), ((), ()), ((), ()), (("US", "GB", "BD"), ()), ((), ("GB",))])


def _mode(random: Random) -> Mode:
    return "monitor" if random.random() < 0.05 else "enforce"
