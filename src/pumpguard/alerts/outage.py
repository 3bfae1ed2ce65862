"""Whether verifications are missing while messages go out, as far as this process sees it."""

from __future__ import annotations

from pumpguard.decision import Decision

CODE = "PROVIDER_OUTAGE"

MESSAGES, SECONDS = 20, 120.0
"""How many messages have to go out, and for how long, before their verifications are missed: people
take 13.5 s in the median, and few take two minutes."""

SHARE = 0.2
"""Of the messages: with more verifications it is no outage (`pumpguard.counters.Pulse`)."""


class Outage:
    """Confirms what the rule says that looks at verifications alone.

    They also stop where the guard itself refuses everybody; then no message goes out, and nothing
    is missing.
    """

    def __init__(self) -> None:
        self._since: object = None
        self._begun = 0.0
        self._messages = self._verified = 0

    def verified(self) -> None:
        """A number was verified."""
        self._verified += 1

    def confirmed(self, since: object, decision: Decision, now: float) -> bool:
        """Whether it is an outage, which has gone on ``since`` then, after this decision too."""
        if since != self._since:
            self._since, self._messages = since, 0
        if not decision.allowed:
            return False
        if not self._messages:
            self._begun, self._verified = now, 0
        self._messages += 1
        enough = self._messages >= MESSAGES and now - self._begun >= SECONDS
        return enough and self._verified < SHARE * self._messages
