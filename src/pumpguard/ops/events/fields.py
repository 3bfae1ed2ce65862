"""What an event says, in the names of the Elastic Common Schema (docs/events.md).

Numbers are masked and hashed with the policy's secret; the hash is the one under which lists keep
them. An event holds no code, no token and no solution in clear.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, ip_network
from typing import Any, Literal

from pumpguard.alerts import Alert, masked
from pumpguard.attempt import Attempt, Phone
from pumpguard.decision import Action, Decision, Finding
from pumpguard.listeners import Became, Change, Recorded
from pumpguard.ops.masking import masked_text, masked_value, personal
from pumpguard.overrides.lists import keyed_hash
from pumpguard.policy import Policy

Event = dict[str, Any]
"""One event: objects within objects, as Elasticsearch keeps them."""

Addresses = Literal["masked", "hashed", "whole"]
Numbers = Literal["hashed", "clear"]

ECS = {"version": "8.11.0"}

BLOCK = 3
"""Digits that are cut off for a block of 1,000 numbers."""

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
        self._hashed = keyed_hash(policy.secret)
        self._clear = numbers == "clear"
        show: dict[str, Callable[[str, str], str]] = {
            "masked": lambda network, _: masked_address(network),
            "hashed": lambda network, _: self._hashed_address(network),
            "whole": lambda _, address: address,
        }
        self._address = show[addresses]
        self._whole = addresses == "whole"

    def decision(self, recorded: Recorded) -> Event:
        """The event of a decision."""
        decision, attempt = recorded.decision, recorded.decision.attempt
        finding, allowed = decision.finding, decision.action is Action.ALLOW
        event: Event = {
            "kind": "event", "category": "network", "type": "allowed" if allowed else "denied",
            "action": str(decision.action), "outcome": "success" if allowed else "failure",
            "provider": "pumpguard", "dataset": "pumpguard.decision",
        }  # fmt: skip
        rule: Event = {"ruleset": self._ruleset, "version": self._version}
        if finding is not None:
            rule["name"], event["reason"] = finding.rule, finding.code
        elif decision.allowed_because is not None:
            event["reason"] = decision.allowed_because
        if decision.reference:
            event["reference"] = decision.reference
        if recorded.seconds is not None:
            event["duration"] = round(recorded.seconds * 1e9)
        made: Event = {
            "@timestamp": timestamp(recorded.at), "ecs": ECS, "event": event, "rule": rule,
            "pumpguard": self._about(decision),
        }  # fmt: skip
        client = attempt.client
        if client.network is not None:
            source = made["source"] = {
                "ip": self._address(client.network, client.address or client.network)
            }
            if client.country is not None:
                source["geo"] = {"country_iso_code": client.country}
        if (exchange := recorded.exchange) is not None:
            made["network"] = {"protocol": exchange.protocol}
            made["http"] = {"request": {"method": exchange.method}}
            if exchange.status is not None:
                made["http"]["response"] = {"status_code": exchange.status}
            made["url"] = {"path": self._path(exchange.path, attempt)}
        return made

    def outcome(self, became: Became) -> Event:
        """The event of what became of a message."""
        made = self._plain("outcome", became.at, became.outcome, "network")
        made["event"]["outcome"] = "success" if became.outcome == "verified" else "failure"
        made["pumpguard"] = {
            "number": self._number(became.phone), "messages": became.messages, "usd": became.usd,
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

    def dropped(self, count: int, at: float) -> Event:
        """That events were lost."""
        made = self._plain("dropped", at, "dropped", "configuration")
        made["pumpguard"] = {"dropped": count}
        return made

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

    def _about(self, decision: Decision) -> Event:
        attempt = decision.attempt
        about: Event = {
            "number": self._number(attempt.phone, decision.masked_number),
            "action": str(decision.action),
            "score": decision.score,
            "known": decision.known,
            "degraded": decision.degraded,
            "attempt": self._attempt(attempt),
        }
        if attempt.price is not None:
            about["price"] = attempt.price
        if decision.findings:
            hidden = personal(attempt)
            about["findings"] = [_found(each, hidden) for each in decision.findings]
        return about

    def _number(self, phone: Phone, shown: str = "") -> Event:
        block = phone.prefix(BLOCK) or f"+{phone.calling_code}"
        # Never the last digits beside the block: together they would be the number.
        digits = max(block, shown.rstrip("•") if shown.endswith("•") else "", key=len)
        number: Event = {
            "masked": digits + "•" * (len(phone.e164) - len(digits)),
            "hash": self._hashed("number", phone.e164),
            "country": phone.region or f"+{phone.calling_code}",
            "block": block,
        }
        if self._clear:
            number["e164"] = phone.e164
        return number

    def _attempt(self, attempt: Attempt) -> Event:
        """What else the decision was made by, for a replay: subjects by their hashes."""
        client = attempt.client
        facts: Event = {"at": attempt.at, "proved": attempt.proved, "kind": client.kind}
        if client.asn is not None:
            facts["asn"] = client.asn
        own = {
            "network": client.network, "site": client.site, "session": attempt.session,
            "account": attempt.account, "device": attempt.device, "solution": attempt.solution,
        }  # fmt: skip
        for name, value in own.items():
            if value is not None:
                whole = self._whole and name in ("network", "site")
                facts[name] = value if whole else self._hashed(name, value)
        if attempt.extra:
            facts["extra"] = {n: self._hashed(n, v) for n, v in attempt.extra.items()}
        return facts

    def _hashed_address(self, network: str) -> str:
        return hashed_address(self._hashed("network", network))

    def _path(self, path: str, attempt: Attempt) -> str:
        """The path; a number in it is masked, however it is spelt."""
        digits = attempt.phone.national[-6:]
        return masked_text(path) if digits not in path else _without_digits(path)


def timestamp(at: float) -> str:
    """Unix seconds as ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


@lru_cache(maxsize=4_096)
def masked_address(network: str) -> str:
    """A network's first address within its /24 (IPv4) or /48 (IPv6): still an address, as the
    schema wants it."""
    whole = ip_network(network, strict=False)
    length = 24 if whole.version == 4 else 48
    shown = whole.supernet(new_prefix=length) if whole.prefixlen > length else whole
    return str(shown.network_address)


@lru_cache(maxsize=4_096)
def hashed_address(digest: str) -> str:
    """A hash in the form of an address: a unique local one of IPv6, which nobody has."""
    return str(IPv6Address(int("fd" + digest.ljust(30, "0")[:30], 16)))


def _found(finding: Finding, hidden: list[str]) -> Event:
    evidence: Mapping[str, object] = finding.evidence
    return {
        "rule": finding.rule,
        "code": finding.code,
        "action": str(finding.action),
        "mode": finding.mode,
        "evidence": {name: masked_value(value, hidden) for name, value in evidence.items()},
        "passes": passes(finding),
    }


def passes(finding: Finding) -> str:
    """What would have let the same request pass this rule."""
    if finding.action is Action.ALLOW or finding.mode != "enforce":
        return "as it is"
    ways = ["with proof"] if finding.action is Action.CHALLENGE else []
    if finding.retry_after is not None:
        ways.append(f"in {finding.retry_after:.0f} s")
    return " or ".join(ways) or "if an operator allows it"


def _without_digits(path: str) -> str:
    return re.sub("[0-9]{4,}", "•••", path)
