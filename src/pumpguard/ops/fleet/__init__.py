"""What all processes of a fleet see together.

`Fleet` tells, in every process; `FleetReader` reads, for the console and the command line.
"""

from pumpguard.ops.fleet.speaker import Fleet
from pumpguard.ops.fleet.view import FleetReader, FleetView

__all__ = ["Fleet", "FleetReader", "FleetView"]
