"""Stops SMS pumping before the message is paid for."""

from pumpguard.attempt import Attempt, Client, Phone
from pumpguard.counters import Distinct, Reading, Window
from pumpguard.decision import Action, Decision, Finding
from pumpguard.errors import (
    IntakeError,
    OverrideError,
    PolicyError,
    PumpGuardError,
    StoreError,
    TicketError,
)
from pumpguard.guard import Guard
from pumpguard.middleware import PumpGuardMiddleware
from pumpguard.outcomes import Ticket
from pumpguard.policy import Policy
from pumpguard.rules import Rule
from pumpguard.shadow.carry import current_decision, current_token
from pumpguard.shadow.sender import sender
from pumpguard.shadow.stand_in import like

__version__ = "0.2.0"

__all__ = [
    "Action",
    "Attempt",
    "Client",
    "Decision",
    "Distinct",
    "Finding",
    "Guard",
    "IntakeError",
    "OverrideError",
    "Phone",
    "Policy",
    "PolicyError",
    "PumpGuardError",
    "PumpGuardMiddleware",
    "Reading",
    "Rule",
    "StoreError",
    "Ticket",
    "TicketError",
    "Window",
    "current_decision",
    "current_token",
    "like",
    "sender",
]
