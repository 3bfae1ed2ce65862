"""An event in words, for people: in a line, or explained."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pumpguard.attempt import PREFIX
from pumpguard.ops.events.fields import Event

WHY = {
    "RATE_LIMIT": "too many messages for {by}",
    "PREFIX_SURGE": "too many messages to one block of numbers",
    "PREFIX_ADJACENT": "neighbouring numbers one after the other",
    "GEO_MISMATCH": "the address is in another country than the number",
    "COUNTRY_SPREAD": "one address asks for numbers of many countries",
    "SPREAD": "one subject with too many different values",
    "CREDIT_SPENT": "too many messages that nobody has verified yet, for {by}",
    "CONVERSION_LOST": "codes are sent and not entered, for {by}",
    "PROOF_LOST": "those who give proof enter no codes: it is bought",
    "BANNED": "a ban after many refusals",
    "SHADOW_BANNED": "a ban that its subject cannot see",
    "BUDGET_SPENT": "the budget is spent",
    "BUDGET_LOW": "what is left of the budget is kept for customers",
    "HOLD_OUT_SPENT": "the hold-out's dollars of the day are spent, so it is refused as usual",
    "NUMBER_UNALLOCATED": "nobody has this number",
    "NUMBER_LINE_TYPE": "not a number for messages, such as a premium one",
    "NUMBER_SATELLITE": "a satellite number",
    "NUMBER_REGION": "a country that the policy refuses",
    "NETWORK_KIND": "an address that people rarely use, such as Tor or hosting",
    "NETWORK_COUNTRY": "an address of a country that the policy refuses",
    "NETWORK_UNKNOWN": "the client's address is unknown",
    "SOLUTION_USED": "a solution that was used before",
    "UNSENT_LIMIT": "too many messages that were not sent in the end",
    "LISTED": "on the deny list",
    "POSTURE_CLOSED": "the posture is closed: nobody gets a message",
    "POSTURE_KNOWN_ONLY": "the posture lets known numbers through alone",
    "POSTURE_CHALLENGE_ALL": "the posture asks everybody for proof",
    "RISK_HIGH": "the risk score is high",
    "RISK_MEDIUM": "the risk score is medium",
    "STORE_UNAVAILABLE": "the store could not answer, and nobody could count",
}  # fmt: skip

DIMENSIONS = {
    "phone": "this number", "country": "this country", "calling_code": "this calling code",
    "network": "this address", "site": "its IPv6 site", "asn": "its network operator",
    "client_country": "the address's country", "session": "this session",
    "account": "this account", "device": "this device", "everything": "everything",
    "client_abroad": "addresses of its kind", "client_hidden": "addresses of its kind",
    "solution": "this solution",
}  # fmt: skip

NOT_LIFTED = ("POSTURE_CLOSED", "BUDGET_SPENT")
"""What an entry of the allow list does not lift."""


def line(event: Event) -> str:
    """An event in a line."""
    facts, said = event.get("pumpguard", {}), event["event"]
    parts = [event["@timestamp"][11:19], said["action"]]
    if "reference" in said:
        parts.append(said["reference"])
    number = facts.get("number")
    if number:
        parts.append(f"{number['masked']} ({number['country']})")
    source = event.get("source")
    if source:
        country = source.get("geo", {}).get("country_iso_code", "?")
        parts.append(f"for {source['ip']} ({country})")
    parts += [event["rule"].get("name", ""), said.get("reason", "")]
    if "user" in event:
        order = facts.get("order", {})
        parts += [order.get("kind", ""), order.get("subject", ""), order.get("value", "")]
        parts.append(f"by {event['user']['name']}")
    if "price" in facts:
        parts.append(f"${facts['price']:.4f}")
    return " ".join(part for part in parts if part)


def explained(event: Event) -> Iterator[str]:
    """A decision's event, explained: what was asked, what was answered, and each finding."""
    facts, said, number = event["pumpguard"], event["event"], event["pumpguard"]["number"]
    at = event["@timestamp"].replace("T", " ").removesuffix("Z")
    yield f"{said.get('reference', 'no reference')}: {said['action']} at {at} UTC"
    known = "a known number" if facts["known"] else "not known to have verified before"
    yield f"number: {number['masked']} ({number['country']}), {known}"
    if "source" in event:
        country = event["source"].get("geo", {}).get("country_iso_code", "country unknown")
        yield f"address: {event['source']['ip']} ({country})"
    if "http" in event:
        request, path = event["http"]["request"]["method"], event["url"]["path"]
        status = event["http"].get("response", {}).get("status_code", "nothing")
        yield f"request: {request} {path}, answered {status}"
    if "price" in facts:
        yield f"price: ${facts['price']:.4f}"
    if facts["degraded"]:
        yield "the store could not answer"
    yield from findings(event)


def findings(event: Event) -> Iterator[str]:
    """What each rule has found, with its numbers, and what would have passed it."""
    for finding in event["pumpguard"].get("findings", ()):
        yield from _finding(finding, decided=finding["rule"] == event["rule"].get("name"))


def about(by: str) -> str:
    """What is counted by a dimension."""
    parts = []
    for part in by.split("+"):
        if part.startswith(PREFIX) and part.removeprefix(PREFIX).isdecimal():
            parts.append(f"its block of {10 ** int(part.removeprefix(PREFIX)):,} numbers")
        else:
            parts.append(DIMENSIONS.get(part, part))
    return " with ".join(parts)


def _finding(finding: dict[str, Any], *, decided: bool) -> Iterator[str]:
    evidence = finding["evidence"]
    by = about(str(evidence["by"])) if "by" in evidence else "one subject"
    what = WHY.get(finding["code"], "").format(by=by)
    role = "decided" if decided else "only recorded" if finding["mode"] == "monitor" else "also"
    numbers = ", ".join(f"{name}={value}" for name, value in evidence.items())
    yield f"{role}: {finding['rule']} {finding['code']}{': ' if what else ''}{what} [{numbers}]"
    yield f"  it passes {finding['passes']}"
