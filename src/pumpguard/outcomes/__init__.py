"""What becomes of messages: told by the app, queued behind the reply, and taught to the store."""

from pumpguard.outcomes.counters import Outcomes

__all__ = ["Outcomes"]
