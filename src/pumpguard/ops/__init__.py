"""What the operator sees: metrics and the console. It uses the guard, never the other way round."""

import sys

from pumpguard import alerts
from pumpguard.alerts import webhook

sys.modules[f"{__name__}.alerts"] = alerts  # their places until 0.2; kept until 0.3
sys.modules[f"{__name__}.webhook"] = webhook
