"""Who comes on a cell's day: the same people and the same plan for every defence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, is_dataclass
from statistics import fmean

from pumpguard.money.prices import PriceTable

from ..actors import Start, draws
from ..attackers import ALL_FAMILIES, Family
from ..clock import DAY, MIDNIGHT
from ..crowds import CROWDS, CrowdDay, LateInbox
from ..figures import Table
from ..lookalikes import LOOKALIKES
from ..targets import Target
from ..world import build
from .attacked import Attacked
from .cells import Cell, Setting
from .held_out import drawn
from .visitors import Visitors, invite

PROBES = 8
"""People who come from each ring."""


PER_USER, TWICE = 0.15, 2
"""A crowd's daily budget for each user of a usual day: so many USD, or so many times what they
cost, if that is more. README says to set it to about twice what a busy day costs."""


class Day:
    """Real users, at most one attack, and those who come when it is over; or a crowd's days."""

    def __init__(self, cell: Cell, setting: Setting) -> None:
        self.crowd = crowd = crowd_of(cell, setting)
        family = crowd.attack if crowd else _family(cell, setting)
        self.about = cell.family if crowd or cell.family in LOOKALIKES else None
        self.parameters = _parameters(crowd or family)
        self._days = crowd.days if crowd else 1
        self._prices = PriceTable.load(cell.prices)
        self._size = round(setting.users * crowd.part) if crowd else setting.users
        world = build(
            cell.seed,
            self._size,
            [family.name] if family else [],
            1.0 if crowd else setting.part,
            families={family.name: family} if family else {},
            days=self._days,
            lookalikes=[cell.family] if cell.family in LOOKALIKES else [],
            crowd=crowd,
        )
        self.people = world.users
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

    def reached(self, target: Target) -> Target:
        """The target, as it is reached on this day."""
        provider = self.crowd and self.crowd.provider
        return LateInbox(target, provider) if provider else target

    @property
    def announced(self) -> Sequence[str]:
        """Addresses that the operator was told of."""
        return self.crowd.announced(self.people) if self.crowd else ()

    @property
    def budget(self) -> float | None:
        """What a policy that was told of a budget has for one of a crowd's days, in USD."""
        if self.crowd is None:
            return None
        price = fmean(self._prices.price(user.country) for user in self.people)
        coming = len(self.people) / self._days if self.crowd.usual else self._size
        return round(max(PER_USER, TWICE * price) * coming, 2)

    @property
    def ends(self) -> float:
        """When the attack is over, or else the last day."""
        return MIDNIGHT + (self.attack.ends if self.attack else self._days * DAY)

    @property
    def when(self) -> tuple[float, float] | None:
        """When the attack is on."""
        return (MIDNIGHT + self.attack.starts, self.ends) if self.attack else None


def crowd_of(cell: Cell, setting: Setting) -> CrowdDay | None:
    """The crowd of this cell; of a held-out one with parameters of its own."""
    crowd = CROWDS.get(cell.family)
    if crowd is None or not setting.held_out:
        return crowd
    return drawn(crowd, draws(cell.seed, f"{cell.family}:parameters"))


def _family(cell: Cell, setting: Setting) -> Family | None:
    family = ALL_FAMILIES.get(cell.family)
    if family is None or not setting.held_out:
        return family
    return drawn(family, draws(cell.seed, f"{cell.family}:parameters"))


def _parameters(family: object) -> Table:
    """What distinguishes this day from others of its family."""
    if not is_dataclass(family) or isinstance(family, type):
        return {}
    told = {name: value for name, value in asdict(family).items() if name != "name"}
    return {k: v for k, v in told.items() if isinstance(v, (int, float, str, tuple, list))}
