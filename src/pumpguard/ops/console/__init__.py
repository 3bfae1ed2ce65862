"""The operator's page: what stands, what happens, what it can cost at most, and the switches."""

from pumpguard.ops.console.app import Console
from pumpguard.ops.console.seen import Seen

__all__ = ["Console", "Seen"]
