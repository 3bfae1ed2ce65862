"""A plain WSGI app that may hang while it sends."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pumpguard import Guard, Policy, current_decision
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import Credit, RateLimit
from pumpguard.wsgi import PumpGuardWSGI

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

policy = Policy(
    send="/otp/send",
    settled=True,
    rules=[RateLimit(name="limit", by="phone", limits="6/hour"), Credit(lines={"phone": 9})],
    name=os.environ["POLICY_NAME"],
    secret="a secret of this suite alone",
    deadline=10,
)
guard = Guard(policy, os.environ["STORE"], networks=UnknownNetworks())


def plain(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Send a message; or say that a code was entered, as a synchronous view does."""
    ask = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    decision, answer = current_decision(), {"told": True}
    if decision is None:
        guard.verified(ask["phone"])
        while guard.reports.queue and len(guard.reports.queue):
            time.sleep(0.01)
        time.sleep(0.5)
    else:
        hangs = ask["note"] == "hang"
        note = f"hanging in {os.getpid()}" if hangs else ask["note"]
        with Path(os.environ["OUTBOX"]).open("a", encoding="utf-8") as outbox:
            outbox.write(f"{ask['phone']} {note}\n")
        time.sleep(600 if hangs else 0.05)
        answer = {"known": decision.known, "worker": os.getpid()}  # type: ignore[dict-item]
    start_response("202 Accepted", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]


app = PumpGuardWSGI(plain, guard=guard)
