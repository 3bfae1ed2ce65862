"""Trust: what was sent and verified, less an eighth a day."""

from __future__ import annotations

from pumpguard.counters import Reading, Trust
from pumpguard.counters.base import OF_ONE_CLIENT
from pumpguard.counters.trust import CLIENTS
from tests.models.base import ALL, DAY, Facts, Model, reading


class TrustModel(Model[Trust]):
    """Thousandths of messages, and the day of the last."""

    def __init__(self) -> None:
        self.verified, self.sent, self.day = 0, 0, 0

    def by_now(self, now: int) -> tuple[int, int]:
        """What is left of what was verified and sent: less an eighth, rounded down, for each day
        (UTC); forgotten after 15 days without a message, or 2 if none was verified."""
        verified, sent, passed = self.verified, self.sent, now // DAY - self.day
        if passed >= (15 if verified else 2):
            return 0, 0
        for _ in range(passed):
            verified, sent = verified * 7 // 8, sent * 7 // 8
        return verified, sent

    def look(self, counter: Trust, facts: Facts) -> Reading:
        verified, sent = self.by_now(facts.now)
        net = max(0, verified - sent * round(1000 * counter.share) // 1000)
        earned = counter.gain * net // 1000
        facts.headroom[counter.by] = ALL if counter.granted else earned
        speaks = earned > 0 and not counter.granted
        facts.trusted |= speaks and counter.by in OF_ONE_CLIENT
        return reading(facts.headroom[counter.by], 0, verified // 1000, sent // 1000)

    def charge(self, counter: Trust, facts: Facts) -> None:
        if not facts.no_verifications:
            verified, sent = self.by_now(facts.now)
            self._keep(facts.now, verified, sent + 1000)

    def take(self, counter: Trust, facts: Facts) -> bool:
        self.look(counter, facts)  # for who counts what was not sent
        return True

    def tell(self, counter: Trust, facts: Facts) -> None:
        if facts.now // DAY - self.day >= (15 if self.verified else 2):
            return  # whom nobody remembers, nobody trusts for one message
        verified, sent = self.by_now(facts.now)
        if facts.outcome == "verified":
            client = not CLIENTS.isdisjoint(counter.by.split("+"))
            verified += facts.worth_of_clients if client else facts.worth
        else:
            sent = max(0, sent - 1000)
        self._keep(facts.now, verified, sent)

    def _keep(self, now: int, verified: int, sent: int) -> None:
        self.verified, self.sent, self.day = verified, sent, max(self.day, now // DAY)
