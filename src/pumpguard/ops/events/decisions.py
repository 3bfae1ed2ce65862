"""The event of a decision, as a line of JSON (docs/events.md).

Under attack there are thousands a second, so the line is put together from what is always the same
and the few facts that are not: a fifth of what building objects and encoding them takes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_network
from json.encoder import encode_basestring_ascii as quoted
from socket import AF_INET6, inet_ntop, inet_pton
from typing import Literal

from pumpguard.attempt import PREFIX, SUBJECTS, Attempt, Phone
from pumpguard.decision import Action, Decision, Finding
from pumpguard.listeners import Exchange, Recorded
from pumpguard.masking import Block
from pumpguard.ops.masking import masked_digits, masked_text, masked_value, personal
from pumpguard.overrides.lists import keyed_hash

Addresses = Literal["masked", "hashed", "whole"]
Numbers = Literal["hashed", "clear"]

BLOCK = 3
"""Digits that are cut off for a block of 1,000 numbers."""

PLAIN = frozenset(SUBJECTS) | {f"{PREFIX}{drop}" for drop in range(1, 15)}
"""Evidence that names no person."""

WORDS = [str(action) for action in Action]

INFINITE = float("inf")

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
            f"{self._source(attempt)}{'' if exchange is None else _http(exchange)}"
            f',"pumpguard":{{"action":"{WORDS[decision.action]}",'
            f"{self._about(decision, attempt)}}}}}"
        )

    def number(self, phone: Phone, shown: str = "") -> str:
        """A number as far as it may be told: with its block, or a narrower one that is
        ``shown``."""
        e164, unknown = phone.e164, f"+{phone.calling_code}"
        block = phone.prefix(BLOCK) or unknown
        # Never the last digits beside the block: together they would be the number.
        digits = shown if len(shown) > len(block) else block
        clear = f',"e164":"{e164}"' if self._clear else ""
        return (
            f'{{"masked":"{digits}{"•" * (len(e164) - len(digits))}",'
            f'"hash":"{self._hashed("number", e164)}","country":"{phone.region or unknown}",'
            f'"block":"{block}"{clear}}}'
        )

    def _about(self, decision: Decision, attempt: Attempt) -> str:
        findings, shown = decision.findings, ""
        if findings:
            blocks = [each.subject for each in findings if isinstance(each.subject, Block)]
            shown = max(blocks, key=len, default="")
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


def masked_address(network: str) -> str:
    """A network's first address within its /24 (IPv4) or /48 (IPv6): still an address, as the
    schema wants it."""
    address, _, bits = network.partition("/")
    try:  # what nearly all are, in a tenth of the time: in an attack each is another one
        if bits == "32" and "." in address:
            return f"{address.rpartition('.')[0]}.0"
        if bits == "64":
            return inet_ntop(AF_INET6, inet_pton(AF_INET6, address)[:6] + bytes(10))
    except OSError:
        pass
    whole = ip_network(network, strict=False)
    length = 24 if whole.version == 4 else 48
    shown = whole.supernet(new_prefix=length) if whole.prefixlen > length else whole
    return str(shown.network_address)


def hashed_address(digest: str) -> str:
    """A hash in the form of an address: a unique local one of IPv6, which nobody has."""
    return inet_ntop(AF_INET6, bytes.fromhex("fd" + digest.ljust(30, "0")[:30]))


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
    head = _finding(finding.rule, finding.code, finding.action, finding.mode)
    return f'{head}"evidence":{{{evidence}}},"passes":"{passes(finding)}"}}'


@lru_cache(maxsize=1_024)
def _finding(rule: str, code: str, action: Action, mode: str) -> str:
    """How a finding begins: the same for all of one rule's."""
    return (
        f'{{"rule":{quoted(rule)},"code":{quoted(code)},"action":"{WORDS[action]}","mode":"{mode}",'
    )


def _value(value: object, attempt: Attempt) -> str:
    """A piece of evidence; texts are masked, as they may be personal data."""
    if isinstance(value, float):
        return f"{value:.9g}" if -INFINITE < value < INFINITE else f'"{value}"'
    if isinstance(value, bool) or value is None:
        return JSON[value]
    if isinstance(value, int):
        return str(int(value))
    text = value if isinstance(value, str) else str(value)
    if text in PLAIN or isinstance(value, Block) or len(text) < 3:
        return quoted(text)
    hidden = [each for each in personal(attempt) if each in text]
    return quoted(str(masked_value(text, hidden))) if hidden else _text(text)


@lru_cache(maxsize=256)
def _text(text: str) -> str:
    """A text of evidence that repeats nothing of its request, such as ``3/day``, masked."""
    return quoted(str(masked_value(text)))


@lru_cache(maxsize=1_024)
def _http(exchange: Exchange) -> str:
    status, path = exchange.status, masked_digits(masked_text(exchange.path))
    answer = "" if status is None else f',"response":{{"status_code":{status}}}'
    return (
        f',"network":{{"protocol":"{exchange.protocol}"}},'
        f'"http":{{"request":{{"method":{quoted(exchange.method)}}}{answer}}},'
        f'"url":{{"path":{quoted(path)}}}'
    )
