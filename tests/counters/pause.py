"""A kind of counter as somebody would add it: this module, the Lua beside it, a line in `KINDS`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pumpguard.counters.base import Timed
from pumpguard.decision import Action


@dataclass(frozen=True, slots=True)
class Pause(Timed):
    """At least ``seconds`` between one hit and the next, unless the former was never sent."""

    rule: str
    by: str
    seconds: int
    action: Action = Action.THROTTLE

    told_of: ClassVar[frozenset[str]] = frozenset({"failed"})
