"""The old name of `pumpguard.overrides`, kept until 0.3: `pumpguard.orders.ladder.Ladder` and
`pumpguard.orders.posture.Posture`."""

import sys
import warnings

from pumpguard.overrides import posture

warnings.warn("pumpguard.orders is pumpguard.overrides now", DeprecationWarning, stacklevel=2)
sys.modules[f"{__name__}.ladder"] = sys.modules[f"{__name__}.posture"] = posture
