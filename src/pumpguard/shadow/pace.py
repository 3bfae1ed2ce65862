"""The old place and name of `pumpguard.shadow.latency.LatencyModel`; gone with the next release."""

import warnings

from pumpguard.shadow.latency import LatencyModel as Pace

__all__ = ["Pace"]

warnings.warn(
    "pumpguard.shadow.pace.Pace is now pumpguard.shadow.latency.LatencyModel",
    DeprecationWarning,
    stacklevel=2,
)
