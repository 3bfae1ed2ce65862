"""The old name of `pumpguard.alerts.alerts`, kept until 0.3."""

from pumpguard.alerts.alerts import Alert, Alerts

__all__ = ["Alert", "Alerts"]
