"""Orders about rules: one only monitors for a while, and a ban of one was lifted."""

from __future__ import annotations

from pumpguard.errors import OverrideError
from pumpguard.listeners import Change
from pumpguard.overrides.admin import OverrideAdmin
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.standing import LIFT, LONGEST, Monitoring


async def monitor(
    admin: OverrideAdmin, rule: str, *, author: str, seconds: float | None, reason: str = ""
) -> OverrideDocument:
    """Only record what a rule finds, in the whole fleet, for so many ``seconds`` (at most a week).
    Raises `OverrideError` and `StoreError`, as all orders."""
    if seconds is None or not 0 < seconds <= LONGEST:
        raise OverrideError("seconds", f"an end: above 0 and at most {LONGEST}", seconds)
    at = admin.now()
    order = Monitoring(author=author, at=at, until=at + seconds, reason=reason)
    change = Change("monitor", "rule", rule, author, reason, at, "monitor", order.until)
    return await admin.change(lambda document: document.with_monitored(order, rule), change)


async def enforce(
    admin: OverrideAdmin, rule: str, *, author: str, reason: str = ""
) -> OverrideDocument:
    """End what `monitor` has ordered."""

    def ended(document: OverrideDocument) -> OverrideDocument:
        if rule not in document.monitored:
            raise OverrideError("rule", "one that monitors by order", rule)
        return document.without_monitored(rule)

    change = Change("enforce", "rule", rule, author, reason, admin.now())
    return await admin.change(ended, change)


async def lifted(
    admin: OverrideAdmin, rule: str, subject: str, *, author: str, reason: str = ""
) -> OverrideDocument:
    """Put down that a ban was lifted (`pumpguard.ops.fleet.bans`); ``subject`` is masked."""
    what = f"{rule} {subject}".strip()
    change = Change(LIFT, "ban", what, author, reason, admin.now())
    return await admin.change(lambda document: document, change)
