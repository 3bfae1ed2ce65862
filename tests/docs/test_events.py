"""docs/events.md names every field of every event, and no other."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

from pumpguard import Action, Decision, Policy
from pumpguard.alerts import Alert
from pumpguard.listeners import Became, Change, Exchange, Recorded
from pumpguard.ops.events.fields import EventMaker
from pumpguard.ops.events.sinks import flat
from pumpguard.testing import make_attempt

PAGE = Path(__file__).parents[2] / "docs" / "events.md"
ENDS = ("pumpguard.findings", "pumpguard.attempt.extra", "pumpguard.evidence")
"""What is within these depends on the policy."""


def test_the_table_of_fields_is_whole() -> None:
    """Made of one event of each kind, with all that it may have."""
    maker = EventMaker(Policy(send="/otp/send"), "whole", "clear")
    attempt = make_attempt(
        address="2001:db8::1", country="GB", price=0.05, session="s", account="a", device="d",
        solution="s", extra={"mail": "m"},
    )  # fmt: skip
    attempt = replace(attempt, client=replace(attempt.client, asn="AS1"))
    decision = Decision(attempt, Action.BLOCK, reference="7Q3K-9XDM")
    told: list[Recorded | Became | Change | Alert] = [
        Recorded(decision, 0.0, 0.1, Exchange("POST", "/otp/send", "https", 403)),
        Became(attempt.phone, "verified", 0.0),
        Change("posture", "country", "GB", "ann", "attack", 0.0, "closed", 60.0),
        Alert("SEND_SPIKE", "spike", {"n": 3}, "GB", 0.0),
    ]
    lines = [*(maker.line(each) for each in told), maker.dropped(1, 0.0)]
    fields = {name for line in lines for name in flat(json.loads(line))}
    fields |= {"event.reason", "rule.name", "pumpguard.findings"}
    cut = {next((end for end in ENDS if name.startswith(end)), name) for name in fields}
    page = PAGE.read_text("utf-8").partition("## Fields")[2].partition("\n## ")[0]
    assert set(re.findall(r"(?m)^\| `([^`]+)` \|", page)) == cut
