"""The event of a decision, as a line of JSON (docs/events.md).

Under attack there are thousands a second, so the line is put together from what is always the same
and the few facts that are not: a fifth of what building objects and encoding them takes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv6Address, ip_network
from json.encoder import encode_basestring_ascii as quoted
from typing import Literal

from pumpguard.attempt import SUBJECTS, Attempt, Phone
from pumpguard.decision import Action, Decision, Finding
from pumpguard.listeners import Exchange, Recorded
from pumpguard.masking import Block
from pumpguard.ops.masking import masked_digits, masked_text, masked_value, personal
from pumpguard.overrides.lists import keyed_hash

Addresses = Literal["masked", "hashed", "whole"]
Numbers = Literal["hashed", "clear"]

BLOCK = 3
"""Digits that are cut off for a block of 1,000 numbers."""

PLAIN = frozenset(SUBJECTS)
"""Evidence that names no person."""

JSON = {True: "true", False: "false", None: "null"}


class DecisionLines:
    """Makes them for one policy, by the hash under which its lists keep numbers."""

    def __init__(
        self, ruleset: str, version: str, secret: str, addresses: Addresses, numbers: Numbers
    ) -> None:
        self._hashed = keyed_hash(secret)
        self._addresses, self._clear = addresses, numbers == "clear"
        self._rule = f'"ruleset":{quoted(ruleset)},"version":"{version}"'
        self._network = lru_cache(maxsize=4_096)(self._about_network)
        self._heads = {
            action: (
                f'"ecs":{{"version":"8.11.0"}},"event":{{"kind":"event","category":"network",'
                f'"type":"{"denied" if action else "allowed"}","action":"{action}",'
                f'"outcome":"{"failure" if action else "success"}","provider":"pumpguard",'
                f'"dataset":"pumpguard.decision"'
            )
            for action in Action
        }

    def line(self, recorded: Recorded) -> str:
        """The whole event."""
        decision, attempt = recorded.decision, recorded.decision.attempt
        event, rule = self._heads[decision.action], self._rule
        if decision.action:
            finding = decision.finding
            if finding is not None:
                event += f',"reason":{quoted(finding.code)}'
                rule += f',"name":{quoted(finding.rule)}'
            event += f',"reference":"{decision.reference}"'
        elif decision.allowed_because is not None:
            event += f',"reason":"{decision.allowed_because}"'
        if recorded.seconds is not None:
            event += f',"duration":{round(recorded.seconds * 1e9)}'
        exchange = recorded.exchange
        return (
            f'{{"@timestamp":"{timestamp(recorded.at)}",{event}}},"rule":{{{rule}}}'
            f"{self._source(attempt)}{'' if exchange is None else _http(exchange, attempt)}"
            f',"pumpguard":{{"action":"{decision.action}",{self._about(decision, attempt)}}}}}'
        )

    def number(self, phone: Phone, shown: str = "") -> str:
        """A number as far as it may be told."""
        e164 = phone.e164
        block = phone.prefix(BLOCK) or f"+{phone.calling_code}"
        # Never the last digits beside the block: together they would be the number.
        digits = max(block, shown.rstrip("•") if shown.endswith("•") else "", key=len)
        country = phone.region or f"+{phone.calling_code}"
        clear = f',"e164":"{e164}"' if self._clear else ""
        return (
            f'{{"masked":"{digits}{"•" * (len(e164) - len(digits))}",'
            f'"hash":"{self._hashed("number", e164)}","country":"{country}",'
            f'"block":"{block}"{clear}}}'
        )

    def _about(self, decision: Decision, attempt: Attempt) -> str:
        findings, shown = decision.findings, ""
        if findings:
            shown = decision.masked_number
            found = ",".join([_found(each, attempt) for each in findings])
            score = f'{decision.score:.6g},"findings":[{found}]'
        else:
            score = "1"
        price = "" if attempt.price is None else f'"price":{attempt.price!r},'
        return (
            f'"number":{self.number(attempt.phone, shown)},{price}"score":{score},'
            f'"known":{JSON[decision.known]},"degraded":{JSON[decision.degraded]},'
            f'"attempt":{{{self._attempt(attempt)}}}'
        )

    def _attempt(self, attempt: Attempt) -> str:
        """What else the decision was made by, for a replay: subjects by their hashes."""
        client, facts = attempt.client, ""
        if client.asn is not None:
            facts += f',"asn":{quoted(client.asn)}'
        if client.network is not None:
            facts += self._network(client.network, client.site)
        if attempt.session or attempt.account or attempt.device or attempt.solution:
            for name in ("session", "account", "device", "solution"):
                value = attempt.subject(name)
                if value is not None:
                    facts += f',"{name}":"{self._hashed(name, value)}"'
        if attempt.extra:
            own = [f'"{n}":"{self._hashed(n, value)}"' for n, value in attempt.extra.items()]
            facts += f',"extra":{{{",".join(own)}}}'
        return f'"at":{attempt.at!r},"proved":{JSON[attempt.proved]},"kind":"{client.kind}"{facts}'

    def _about_network(self, network: str, site: str | None) -> str:
        told = ""
        for name, value in (("network", network), ("site", site)):
            if value is not None:
                shown = value if self._addresses == "whole" else self._hashed(name, value)
                told += f',"{name}":"{shown}"'
        return told

    def _source(self, attempt: Attempt) -> str:
        client = attempt.client
        if client.network is None:
            return ""
        if self._addresses == "masked":
            address = masked_address(client.network)
        elif self._addresses == "hashed":
            address = hashed_address(self._hashed("network", client.network))
        else:
            address = client.address or client.network
        if client.country is None:
            return f',"source":{{"ip":"{address}"}}'
        country = quoted(client.country)
        return f',"source":{{"ip":"{address}","geo":{{"country_iso_code":{country}}}}}'


def timestamp(at: float) -> str:
    """Unix seconds as ISO 8601, to the millisecond."""
    seconds = int(at)
    return f"{_second(seconds)}.{int((at - seconds) * 1000):03}Z"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


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


def passes(finding: Finding) -> str:
    """What would have let the same request pass this rule."""
    if finding.action is Action.ALLOW or finding.mode != "enforce":
        return "as it is"
    way = "with proof" if finding.action is Action.CHALLENGE else ""
    if finding.retry_after is not None:
        way += f"{' or ' if way else ''}in {finding.retry_after:.0f} s"
    return way or "if an operator allows it"


def _found(finding: Finding, attempt: Attempt) -> str:
    evidence = ",".join(
        [f"{quoted(name)}:{_value(value, attempt)}" for name, value in finding.evidence.items()]
    )
    return (
        f'{{"rule":{quoted(finding.rule)},"code":{quoted(finding.code)},'
        f'"action":"{finding.action}","mode":"{finding.mode}","evidence":{{{evidence}}},'
        f'"passes":"{passes(finding)}"}}'
    )


def _value(value: object, attempt: Attempt) -> str:
    """A piece of evidence; texts are masked, as they may be personal data."""
    if isinstance(value, bool) or value is None:
        return JSON[value]
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.9g}" if abs(value) < float("inf") else f'"{value}"'
    text = value if isinstance(value, str) else str(value)
    if isinstance(value, Block) or text in PLAIN or len(text) < 3:
        return quoted(text)
    return quoted(str(masked_value(text, personal(attempt))))


def _http(exchange: Exchange, attempt: Attempt) -> str:
    status, path = exchange.status, exchange.path
    answer = "" if status is None else f',"response":{{"status_code":{status}}}'
    return (
        f',"network":{{"protocol":"{exchange.protocol}"}},'
        f'"http":{{"request":{{"method":{quoted(exchange.method)}}}{answer}}},'
        f'"url":{{"path":{quoted(masked_digits(masked_text(path)) if has_digits(path) else path)}}}'
    )


@lru_cache(maxsize=256)
def has_digits(path: str) -> bool:
    """Whether a path may hold a number or an address."""
    return any(character.isdecimal() for character in path)
