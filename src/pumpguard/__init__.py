"""Stops SMS pumping before the message is paid for."""

from pumpguard.attempt import Attempt, Client, Phone
from pumpguard.decision import Action, Decision, Finding
from pumpguard.errors import (
    IntakeError,
    OrdersError,
    PolicyError,
    PumpGuardError,
    StoreError,
    TicketError,
)
from pumpguard.guard import Guard
from pumpguard.middleware import PumpGuardMiddleware
from pumpguard.policy import Policy
from pumpguard.sending import current_decision, sender
from pumpguard.shadow.ids import like
from pumpguard.ticket import Ticket

__version__ = "0.2.0"

__all__ = [
    "Action",
    "Attempt",
    "Client",
    "Decision",
    "Finding",
    "Guard",
    "IntakeError",
    "OrdersError",
    "Phone",
    "Policy",
    "PolicyError",
    "PumpGuardError",
    "PumpGuardMiddleware",
    "StoreError",
    "Ticket",
    "TicketError",
    "current_decision",
    "like",
    "sender",
]
