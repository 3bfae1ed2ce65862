"""The old name of `pumpguard.alerts.webhook`, kept until 0.3."""

from pumpguard.alerts.webhook import SIGNATURE, Webhook, signature

__all__ = ["SIGNATURE", "Webhook", "signature"]
