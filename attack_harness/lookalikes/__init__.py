"""Innocent traffic that looks like an attack: the four false positives that Elastic names.

They are users like all others in the scorecard, each kind in a group of its own, and a defence
that refuses them has harmed them.
"""

from __future__ import annotations

from .base import Lookalike, Neighbourhood
from .lecture_hall import LectureHall
from .load_test import LoadTest
from .reverification import Reverification
from .uptime_monitor import UptimeMonitor

LOOKALIKES: dict[str, Lookalike] = {
    each.name: each for each in (LectureHall(), LoadTest(), UptimeMonitor(), Reverification())
}
"""Everything that ``--lookalike`` can name."""

__all__ = [
    "LOOKALIKES",
    "LectureHall",
    "LoadTest",
    "Lookalike",
    "Neighbourhood",
    "Reverification",
    "UptimeMonitor",
]
