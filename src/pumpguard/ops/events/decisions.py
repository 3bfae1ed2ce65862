"""The event of a decision, as a line of JSON (docs/events.md).

Under attack there are thousands a second, so the line is put together from what is always the same
and the few facts that are not: a fifth of what building objects and encoding them takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_network
from json.encoder import encode_basestring_ascii as quoted
from socket import AF_INET6, inet_ntop, inet_pton
from typing import Literal

from pumpguard.attempt import Attempt, Client, Phone
from pumpguard.decision import Action
from pumpguard.listeners import Exchange, Recorded
from pumpguard.ops.events.findings import JSON, WORDS, told_findings
from pumpguard.ops.masking import masked_digits, masked_text
from pumpguard.overrides.lists import keyed_hash

Addresses = Literal["masked", "hashed", "whole"]
Numbers = Literal["hashed", "clear"]

MILLISECONDS = [f".{n:03}Z" for n in range(1_000)]


HIDDEN = "\0"
"""Stands for a hidden digit until the line is bytes: all else is ASCII, which Python puts together
and encodes several times as fast. Quoted texts have it escaped."""


class DecisionLines:
    """Makes them for one policy, by the hash under which its lists keep numbers."""

    def __init__(
        self, ruleset: str, version: str, secret: str, addresses: Addresses, numbers: Numbers
    ) -> None:
        self._hashed = keyed_hash(secret)
        self._addresses, self._clear = addresses, numbers == "clear"
        self._rule = f'"rule":{{"ruleset":{quoted(ruleset)},"version":"{version}"'
        self._head = lru_cache(maxsize=1_024)(self._about_rule)
        self._where = lru_cache(maxsize=4_096)(self._about_client)

    def line(self, recorded: Recorded) -> bytes:
        """The whole event, in UTF-8."""
        decision, at, seconds, exchange = recorded
        attempt, action, finding = decision.attempt, decision.action, decision.finding
        price, subjects, shown, found = attempt.price, "", "", "1"
        if finding is not None:
            event, rule = self._head(action, finding.code, finding.rule)
        else:
            event, rule = self._head(action, None if action else decision.allowed_because)
        if action:
            event += f',"reference":"{decision.reference}"'
        if seconds is not None:
            event += f',"duration":{round(seconds * 1e9)}'
        source, client = self._where(attempt.client)
        if decision.findings:
            shown, found = told_findings(decision)
        if attempt.session or attempt.account or attempt.device or attempt.solution:
            subjects = self._subjects(attempt)
        if attempt.extra:
            subjects += self._own(attempt.extra)
        line = (
            f'{{"@timestamp":"{timestamp(at)}",{event}}},{rule}}}{source}'
            f"{'' if exchange is None else _http(exchange)}"
            f',"pumpguard":{{"action":"{WORDS[action]}",'
            f'"number":{self._number(attempt.phone, shown)}'
            f'{"" if price is None else _price(price)},"score":{found},'
            f'"known":{JSON[decision.known]},"degraded":{JSON[decision.degraded]},'
            f'"attempt":{{"at":{attempt.at!r},"proved":{JSON[attempt.proved]},{client}{subjects}}}}}}}'
        )
        return line.encode("utf-8", "replace").replace(HIDDEN.encode(), "•".encode())

    def number(self, phone: Phone) -> str:
        """A number as far as it may be told: masked, its hash, its country and its block."""
        return self._number(phone).replace(HIDDEN, "•")

    def _number(self, phone: Phone, shown: str = "") -> str:
        """The same in a line, with a narrower block if one is ``shown``."""
        e164, block = phone.e164, phone.block
        # Never the last digits beside the block: together they would be the number.
        digits = shown if len(shown) > len(block) else block
        clear = f',"e164":"{e164}"' if self._clear else ""
        return (
            f'{{"masked":"{digits}{HIDDEN * (len(e164) - len(digits))}",'
            f'"hash":"{self._hashed("number", e164)}","country":"{phone.country}",'
            f'"block":"{block}"{clear}}}'
        )

    def _subjects(self, attempt: Attempt) -> str:
        """What else counters may have been kept by, hashed, for a replay."""
        facts = ""
        for name in ("session", "account", "device", "solution"):
            value = attempt.subject(name)
            if value is not None:
                facts += f',"{name}":"{self._hashed(name, value)}"'
        return facts

    def _own(self, extra: Mapping[str, str]) -> str:
        """The same on the policy's own dimensions."""
        own = [f'"{name}":"{self._hashed(name, value)}"' for name, value in extra.items()]
        return f',"extra":{{{",".join(own)}}}'

    def _about_rule(
        self, action: Action, reason: str | None, rule: str | None = None
    ) -> tuple[str, str]:
        """How ``event`` and ``rule`` begin: the same for all that one rule decides."""
        event = (
            f'"ecs":{{"version":"8.11.0"}},"event":{{"kind":"event","category":"network",'
            f'"type":"{"denied" if action else "allowed"}","action":"{action}",'
            f'"outcome":"{"failure" if action else "success"}","provider":"pumpguard",'
            f'"dataset":"pumpguard.decision"'
        )
        if reason is not None:
            event += f',"reason":{quoted(reason)}'
        return event, self._rule if rule is None else f'{self._rule},"name":{quoted(rule)}'

    def _about_client(self, client: Client) -> tuple[str, str]:
        """``source``, and what a replay knows of the client."""
        facts = f'"kind":"{client.kind}"'
        if client.asn is not None:
            facts += f',"asn":{quoted(client.asn)}'
        if client.network is None:
            return "", facts
        for name, value in (("network", client.network), ("site", client.site)):
            if value is not None:
                shown = value if self._addresses == "whole" else self._hashed(name, value)
                facts += f',"{name}":"{shown}"'
        if self._addresses == "masked":
            address = masked_address(client.network)
        elif self._addresses == "hashed":
            address = hashed_address(self._hashed("network", client.network))
        else:
            address = client.address or client.network
        country = client.country
        geo = "" if country is None else f',"geo":{{"country_iso_code":{quoted(country)}}}'
        return f',"source":{{"ip":"{address}"{geo}}}', facts


def timestamp(at: float) -> str:
    """Unix seconds as ISO 8601, to the millisecond."""
    seconds = int(at)
    return f"{_second(seconds)}{MILLISECONDS[int((at - seconds) * 1000)]}"


@lru_cache(maxsize=16)  # there are thousands of events in one
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


@lru_cache(maxsize=1_024)  # there are some hundred prices
def _price(price: float) -> str:
    return f',"price":{price!r}'


@lru_cache(maxsize=1_024)
def _http(exchange: Exchange) -> str:
    status, path = exchange.status, masked_digits(masked_text(exchange.path))
    answer = "" if status is None else f',"response":{{"status_code":{status}}}'
    return (
        f',"network":{{"protocol":"{exchange.protocol}"}},'
        f'"http":{{"request":{{"method":{quoted(exchange.method)}}}{answer}}},'
        f'"url":{{"path":{quoted(path)}}}'
    )
