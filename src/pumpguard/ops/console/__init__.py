"""The operator's page: posture and lists, recent decisions, exposure, and forms to change them."""

from pumpguard.ops.console.activity import Activity
from pumpguard.ops.console.app import Console

Seen = Activity  # its name until 0.2

__all__ = ["Activity", "Console", "Seen"]
