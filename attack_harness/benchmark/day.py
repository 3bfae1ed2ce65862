"""Who comes on a cell's day: the same people and the same plan for every defence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, is_dataclass

from ..actors import Start, draws
from ..attackers import ALL_FAMILIES, Family
from ..clock import DAY, MIDNIGHT
from ..figures import Table
from ..lookalikes import LOOKALIKES
from ..world import build
from .attacked import Attacked
from .cells import CALM, Cell, Setting
from .held_out import drawn
from .visitors import Visitors, invite

PROBES = 8
"""People who come from each ring."""


class Day:
    """Real users, at most one attack, and those who come when it is over."""

    def __init__(self, cell: Cell, setting: Setting) -> None:
        families, names = dict(ALL_FAMILIES), [cell.family]
        self.lookalike = cell.family if cell.family in LOOKALIKES else None
        if cell.family in CALM:
            names = []
        elif setting.held_out:
            rng = draws(cell.seed, f"{cell.family}:parameters")
            families[cell.family] = drawn(families[cell.family], rng)
        self.parameters = _parameters(families[names[0]]) if names else {}
        alike = [self.lookalike] if self.lookalike else []
        world = build(
            cell.seed, setting.users, names, setting.part, families=families, lookalikes=alike
        )
        self.outcomes, self._everybody = world.cast()
        self.attack = world.attacks[0] if world.attacks else None
        self.attacked = Attacked.by(self.attack.phones if self.attack else ())
        owned = frozenset(user.phone for user in world.users) | self.attacked.phones
        rng = draws(cell.seed, f"{cell.family}:visitors")
        self.visitors: Visitors = invite(self.attacked, self.ends, PROBES, rng, owned)

    def everybody(self) -> Iterator[Start]:
        """All actors, once."""
        yield from self._everybody
        yield from self.visitors.starts()

    @property
    def ends(self) -> float:
        """When the attack is over, or else the day."""
        return MIDNIGHT + (self.attack.ends if self.attack else DAY)

    @property
    def when(self) -> tuple[float, float] | None:
        """When the attack is on."""
        return (MIDNIGHT + self.attack.starts, self.ends) if self.attack else None


def _parameters(family: Family) -> Table:
    """What distinguishes this attack from others of its family."""
    if not is_dataclass(family) or isinstance(family, type):
        return {}
    told = {name: value for name, value in asdict(family).items() if name != "name"}
    return {k: v for k, v in told.items() if isinstance(v, (int, float, str, tuple, list))}
