"""Days of real crowds: everybody on them is a user, and whom a defence refuses it has harmed."""

from __future__ import annotations

from .base import CrowdDay
from .habits import (
    AnnouncedLoadTest,
    BrokenProvider,
    ClocksChange,
    ComingBack,
    Monitor,
    OneCountry,
    SlowProvider,
)
from .launches import AttackedLaunch, BigLaunch, Launch, NewMarket
from .provider import LateInbox
from .shared import Campus, CarrierNat, RelayUsers

CROWDS: dict[str, CrowdDay] = {
    each.name: each
    for each in (
        Launch(), BigLaunch(), AttackedLaunch(), NewMarket(), RelayUsers(), Campus(), CarrierNat(),
        ComingBack(), SlowProvider(), BrokenProvider(), ClocksChange(), Monitor(),
        AnnouncedLoadTest(), OneCountry(),
    )
}  # fmt: skip
"""By the name of the day."""

__all__ = [
    "CROWDS", "AnnouncedLoadTest", "AttackedLaunch", "BigLaunch", "BrokenProvider", "Campus",
    "CarrierNat", "ClocksChange", "ComingBack", "CrowdDay", "LateInbox", "Launch", "Monitor",
    "NewMarket", "OneCountry", "RelayUsers", "SlowProvider",
]  # fmt: skip
