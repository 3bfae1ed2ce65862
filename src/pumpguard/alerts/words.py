"""An alert in words, for people who were asleep."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from pumpguard.alerts import Alert
from pumpguard.masking import masked
from pumpguard.times import when

HEADS = {
    "ATTACK_BEGINS": "An attack has begun",
    "ATTACK_GOES_ON": "The attack goes on",
    "ATTACK_OVER": "The attack is over",
    "BUDGET_ALERT": "Part of a budget is spent",
    "BUDGET_LOW": "A budget is low: what is left is kept for customers",
    "BUDGET_SPENT": "A budget is spent: nobody is sent anything from it",
    "PROVIDER_OUTAGE": "Codes do not arrive: your provider may have an outage",
    "SEND_SPIKE": "Many more messages are sent than usual",
    "ATTEMPT_SPIKE": "Many more messages are asked for than usual",
}


def headline(alert: Alert) -> str:
    """What has happened, and where."""
    subject = masked(alert.subject)
    where = f": {subject}" if subject and subject != "everything" else ""
    return f"{HEADS.get(alert.code, alert.code)}{where}"


def words(alert: Alert) -> str:
    """All of it, a fact a line, and the orders to give at the end."""
    return "\n".join([headline(alert), "", *_facts(alert)])


def _facts(alert: Alert) -> Iterator[str]:
    evidence = alert.evidence
    if not alert.code.startswith("ATTACK_"):
        yield f"{alert.rule} {alert.code}, at {when(alert.at)}"
        for name, value in evidence.items():
            yield f"{name}: {value}"
        return
    yield f"since {when(cast(float, evidence['since']))}"
    yield f"refused: {evidence['refused']} requests, ${evidence['not_spent']:,.2f} not spent"
    yield f"let through to these blocks: ${evidence['spent']:,.2f}"
    for name, title in (("blocks", "blocks"), ("countries", "countries"), ("rules", "rules")):
        listed = evidence.get(name)
        if isinstance(listed, list) and listed:
            yield f"{title}: {', '.join(map(str, listed))}"
    orders = evidence.get("orders")
    if isinstance(orders, list):
        yield ""
        yield "To stop it at once:"
        yield from (f"    {order}" for order in orders)
