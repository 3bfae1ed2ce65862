"""What the page says: times, dollars, and personal data masked wherever it comes from."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from ipaddress import ip_network
from math import ceil

from phonenumbers import NumberParseException, is_valid_number
from phonenumbers import parse as parse_number

from pumpguard.alerts import Alert
from pumpguard.alerts.words import headline, words
from pumpguard.errors import OverrideError
from pumpguard.masking import Block, masked_network
from pumpguard.ops.events.fields import Event
from pumpguard.ops.events.words import findings, line
from pumpguard.ops.masking import masked_block, masked_evidence, masked_text
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.lists import Listing
from pumpguard.overrides.standing import Order

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))

MAX_ROWS = 8
"""Rows of the tables by country and by rule."""


def lasting(seconds: float) -> str:
    """A duration in its largest unit, rounded up: ``25 minutes``."""
    for unit, name in UNITS:
        count = ceil(seconds / unit)
        if count > 1 and (unit == 60 or seconds > unit * 1.5):
            return "an hour" if (count, name) == (60, "minute") else f"{count} {name}s"
    return "a minute"


def largest(counts: Counter[str]) -> list[tuple[str, int]]:
    """The largest counts, and the sum of the others."""
    rows = counts.most_common(MAX_ROWS)
    others = counts.total() - sum(count for _, count in rows)
    return [*rows, ("others", others)] if others else rows


def masked_listing(listing: Listing) -> str:
    """A listing's subject: blocks in plain text, single subscribers and hosts masked."""
    match listing.kind:
        case "prefix":
            return masked_block(listing.shown) if _may_be_whole(listing.shown) else listing.shown
        case "network":
            network = ip_network(listing.shown)
            if network.prefixlen > (24 if network.version == 4 else 48):
                return masked_network(network.network_address.exploded)
    return listing.shown


def told(event: Event) -> list[str]:
    """An event in words, masked: what it was about, and of a decision each finding in lines of its
    own. When it was and what was done stand beside it."""
    try:
        said = [line(event).split(" ", 2)[2], *findings(event)]
    except (KeyError, IndexError):  # another release's
        said = [line(event)]
    return [masked_text(each) for each in said]


def alarm(event: Event) -> list[str]:
    """An alert in words: what has happened, and its facts, masked."""
    code, facts = event["event"]["action"], event["pumpguard"]
    subject = Block(facts["subject"]) if facts["subject"] else None  # an event has it masked
    alert = Alert(code, event["rule"].get("name", ""), facts["evidence"], subject, 0.0)
    if code.startswith(
        "ATTACK_"
    ):  # blocks of numbers, and the orders to give: nobody's personal data
        return [each for each in words(alert).splitlines() if each]
    return [headline(alert), masked_evidence(facts["evidence"])]


def ordered(order: Order) -> str:
    """What was ordered, in words; blocks in plain text, anything else masked."""
    block = order.kind == "prefix" and not _may_be_whole(order.subject)
    subject = order.subject if block else masked_text(order.subject)
    whom = "everybody" if subject == "all" else subject
    match order.what:
        case "posture":
            return f"{order.value} for {whom}"
        case "expect":
            return f"{order.value} times as much as usual expected for {whom}"
        case "monitor":
            return f"rule {whom} only monitors"
        case "enforce":
            return f"rule {whom} as the policy has it"
        case "lift":
            return f"ban lifted: {whom}"
        case "escalate":
            return "a step of escalation"
    return f"{order.what} {order.kind} {whom}"


def listing_id(listing: Listing, secret: str) -> str:
    """An id by which a listing can be removed. It reveals nothing else, and is the same in all
    processes with the policy's ``secret``."""
    key = blake2b(secret.encode(), digest_size=32, person=b"pg console list").digest()
    text = f"{listing.kind}\0{listing.value}".encode("utf-8", "surrogatepass")
    return blake2b(text, key=key, digest_size=8).hexdigest()


def listing_by_id(overrides: OverrideDocument, id_: str, secret: str) -> Listing:
    """The listing with that id. Raises `OverrideError`."""
    for listing in overrides.listings:
        if listing_id(listing, secret) == id_:
            return listing
    raise OverrideError("id", "one that is listed; somebody may have removed it")


def _may_be_whole(prefix: str) -> bool:
    """Whether somebody may have this number. Its length alone does not say: a block of 1,000 is as
    long as other numbers of its country."""
    try:
        return is_valid_number(parse_number(prefix))
    except NumberParseException:
        return False
