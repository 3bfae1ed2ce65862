"""The model of each kind of counter."""

from __future__ import annotations

from typing import Any

from pumpguard.counters import (
    Ban,
    Conversion,
    Counter,
    Credit,
    Distinct,
    Known,
    Neighbours,
    Pulse,
    Refunds,
    Retyped,
    Spend,
    Spike,
    Tickets,
    Trust,
    Unsent,
    Window,
)
from tests.models.ban import BanModel
from tests.models.base import Model
from tests.models.conversion import ConversionModel
from tests.models.credit import CreditModel
from tests.models.distinct import DistinctModel
from tests.models.known import KnownModel
from tests.models.neighbours import NeighboursModel
from tests.models.pulse import PulseModel
from tests.models.refunds import RefundsModel
from tests.models.retyped import RetypedModel
from tests.models.spend import SpendModel
from tests.models.spike import SpikeModel
from tests.models.tickets import TicketsModel
from tests.models.trust import TrustModel
from tests.models.unsent import UnsentModel
from tests.models.window import WindowModel

MODELS: dict[type[Counter], type[Model[Any]]] = {
    Window: WindowModel,
    Distinct: DistinctModel,
    Neighbours: NeighboursModel,
    Ban: BanModel,
    Spend: SpendModel,
    Credit: CreditModel,
    Conversion: ConversionModel,
    Pulse: PulseModel,
    Spike: SpikeModel,
    Trust: TrustModel,
    Known: KnownModel,
    Tickets: TicketsModel,
    Refunds: RefundsModel,
    Unsent: UnsentModel,
    Retyped: RetypedModel,
}
