"""What an event says, in the names of the Elastic Common Schema (docs/events.md).

Numbers are masked and hashed with the policy's secret; the hash is the one under which lists keep
them. An event holds no code, no token and no solution in clear.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from hashlib import blake2b
from typing import Any

from pumpguard.alerts import Alert
from pumpguard.listeners import Became, Change, Recorded
from pumpguard.masking import masked
from pumpguard.ops.events.decisions import Addresses, DecisionLines, Numbers, timestamp
from pumpguard.ops.masking import masked_text, masked_value
from pumpguard.policy import Policy

Event = dict[str, Any]
"""One event: objects within objects, as Elasticsearch keeps them."""

encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, default=str).encode

ECS = {"version": "8.11.0"}

AT = re.compile(r" at 0x[0-9a-f]+")


def policy_version(policy: Policy) -> str:
    """A digest of all settings and rules: the same in all processes that have the same policy."""
    settings = [f"{each.name}={getattr(policy, each.name)!r}" for each in fields(policy)]
    text = "\n".join(each for each in settings if not each.startswith("secret="))
    return blake2b(AT.sub("", text).encode(errors="replace"), digest_size=6).hexdigest()


class EventMaker:
    """Turns what a guard has done into events. ``addresses`` and ``numbers`` say how much of the
    personal data they hold."""

    def __init__(
        self, policy: Policy, addresses: Addresses = "masked", numbers: Numbers = "hashed"
    ) -> None:
        self._ruleset, self._version = policy.name, policy_version(policy)
        self._lines = DecisionLines(policy.name, self._version, policy.secret, addresses, numbers)

    def line(self, told: Recorded | Became | Change | Alert) -> bytes:
        """An event as a line of JSON, in UTF-8."""
        if isinstance(told, Recorded):  # as nearly all are
            return self._lines.line(told)
        match told:
            case Became():
                return _encoded(self.outcome(told))
            case Change():
                return _encoded(self.change(told))
        return _encoded(self.alert(told))

    def outcome(self, became: Became) -> Event:
        """The event of what became of a message."""
        made = self._plain("outcome", became.at, became.outcome, "network")
        made["event"]["outcome"] = "success" if became.outcome == "verified" else "failure"
        number = json.loads(self._lines.number(became.phone))
        made["pumpguard"] = {
            "number": number, "messages": became.messages, "usd": became.usd, "at": became.at,
        }  # fmt: skip
        return made

    def change(self, change: Change) -> Event:
        """The event of an order."""
        made = self._plain("order", change.at, change.what, "configuration")
        made["event"]["type"], made["event"]["reason"] = "change", masked_text(change.reason)
        made["user"] = {"name": masked_text(change.author)}
        order: Event = {"kind": change.kind, "subject": change.subject, "value": change.value}
        order["until"] = change.until
        made["pumpguard"] = {"order": {name: v for name, v in order.items() if v not in ("", None)}}
        return made

    def alert(self, alert: Alert) -> Event:
        """The event of an alert."""
        made = self._plain("alert", alert.at, alert.code, "intrusion_detection")
        made["event"]["kind"] = "alert"
        made["rule"]["name"] = alert.rule
        evidence = {name: masked_value(value) for name, value in alert.evidence.items()}
        made["pumpguard"] = {"evidence": evidence, "subject": masked(alert.subject)}
        return made

    def dropped(self, count: int, at: float) -> bytes:
        """The line that tells that events were lost."""
        made = self._plain("dropped", at, "dropped", "configuration")
        made["pumpguard"] = {"dropped": count}
        return _encoded(made)

    def _plain(self, dataset: str, at: float, action: str, category: str) -> Event:
        return {
            "@timestamp": timestamp(at),
            "ecs": ECS,
            "event": {
                "kind": "event", "category": category, "type": "info", "action": action,
                "provider": "pumpguard", "dataset": f"pumpguard.{dataset}",
            },
            "rule": {"ruleset": self._ruleset, "version": self._version},
        }  # fmt: skip


def _encoded(event: Event) -> bytes:
    return encode(event).encode("utf-8", "replace")
