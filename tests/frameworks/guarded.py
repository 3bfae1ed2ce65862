"""What every app of this suite has: one guard, and a sender that writes down what it sends.

It is imported by the app in the server's own process; the environment says which store to use.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from pumpguard import Action, Attempt, Finding, Guard, Policy, Reading, Rule, sender
from pumpguard.challenges import Altcha
from pumpguard.intake.fields import Fields
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.testing import SimulatedHuman

CORS_BEHIND = "IN_FRONT" not in os.environ
"""Whether the framework itself answers for CORS, behind the guard; else something in front does."""

ACTIONS = {"FR": Action.CHALLENGE, "SE": Action.SHADOW, "DE": Action.BLOCK}
"""What happens to numbers of these countries; to others, their limit."""


class ByCountry(Rule):
    """An action for a country, so that a number says what is to happen to it."""

    def judge(self, attempt: Attempt, readings: Sequence[Reading]) -> Finding | None:
        action = ACTIONS.get(attempt.phone.region or "")
        return None if action is None else Finding(self.name, action, "COUNTRY")


def phone(fields: Fields) -> object:
    """In the path, or in the body."""
    return fields.parameters.get("phone") or fields.get("phone")


policy = Policy(
    send=[
        "/otp/send", "/otp/form", "/otp/stream", "/people/{phone}/code", "/api/otp/send",
        "/otp/fails",
    ],
    verify="/otp/verify",
    phone=phone,
    proxies=["127.0.0.0/8"],
    rules=[ByCountry(), RateLimit(name="phone_limit", by="phone", limits="2/hour")],
    name=os.environ.get("POLICY_NAME", "frameworks"),
    secret="a secret of this suite alone",
    deadline=10,
)  # fmt: skip
guard = Guard(
    policy,
    os.environ.get("STORE", "memory://"),
    challenge=SimulatedHuman(Altcha(policy)),
    networks=UnknownNetworks(),
)


@sender
def send_sms(phone: str, text: str) -> dict[str, str]:
    """Send a message: a line in a file that the test reads."""
    with Path(os.environ["OUTBOX"]).open("a", encoding="utf-8") as outbox:
        outbox.write(f"{phone} {text}\n")
    return {"id": f"SM{os.urandom(8).hex()}", "status": "queued"}
