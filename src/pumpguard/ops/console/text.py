"""What the page says: times, dollars, and personal data masked wherever it comes from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from ipaddress import ip_network
from math import ceil

from phonenumbers import NumberParseException, ValidationResult
from phonenumbers import is_possible_number_with_reason as possible
from phonenumbers import parse as parse_number

from pumpguard.attempt import Attempt, Block, masked_network
from pumpguard.decision import Decision
from pumpguard.errors import OverrideError
from pumpguard.overrides.document import OverrideDocument
from pumpguard.overrides.lists import Listing

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))

HIDDEN = "•••"
HIDDEN_DIGITS = 4
"""Last digits that are hidden of what may be a whole number."""

MAX_ROWS = 8
"""Rows of the tables by country and by rule."""

DIGITS = re.compile("[0-9]{5,}")
NUMBER = re.compile(r"\+[0-9]{7,15}|(?<![0-9.])[0-9]{11,15}(?![0-9])")
IPV4 = re.compile(
    r"(?<![0-9.])([0-9]{1,3}(?:\.[0-9]{1,3}){2})\.[0-9]{1,3}(?![0-9.]|/(?:[0-9]|1[0-9]|2[0-4])\b)"
)
IPV6 = re.compile(r"(?<![0-9a-f:.])[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(/[0-9]+)?", re.IGNORECASE)

WHOLE = (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


def when(at: float) -> str:
    """A time (Unix seconds), in UTC, as in the logs."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def clock(at: float) -> str:
    """The time of day (Unix seconds), in UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def lasting(seconds: float) -> str:
    """A duration in its largest unit, rounded up: ``25 minutes``."""
    for unit, name in UNITS:
        count = ceil(seconds / unit)
        if count > 1 and (unit == 60 or seconds > unit * 1.5):
            return "an hour" if (count, name) == (60, "minute") else f"{count} {name}s"
    return "a minute"


def masked_text(text: str, shown: Collection[str] = ()) -> str:
    """Free text, from people or a rule's evidence, with whole numbers and addresses masked, but for
    the blocks to be ``shown``."""
    text = NUMBER.sub(lambda found: found[0] if found[0] in shown else _block(found[0]), text)
    text = IPV6.sub(_host, text)
    return IPV4.sub(r"\1.•", text)


def without(text: str, typed: Iterable[str]) -> str:
    """A message without these texts, such as what somebody has just typed."""
    for each in typed:
        if each:
            text = text.replace(each, HIDDEN)
    return text


def masked_evidence(evidence: Mapping[str, object]) -> str:
    """Evidence in a line: numbers and blocks in plain text, texts masked, as they may be personal
    data."""

    def shown(value: object) -> object:
        if isinstance(value, Block) or not isinstance(value, str):
            return value
        return DIGITS.sub(HIDDEN, masked_text(value))

    return ", ".join(f"{name}={shown(value)}" for name, value in evidence.items())


def largest(counts: Counter[str]) -> list[tuple[str, int]]:
    """The largest counts, and the sum of the others."""
    rows = counts.most_common(MAX_ROWS)
    others = counts.total() - sum(count for _, count in rows)
    return [*rows, ("others", others)] if others else rows


def masked_explanation(decision: Decision) -> str:
    """`Decision.explain`, masked also where a rule's evidence repeats a field of the request."""
    blocks = {each.subject for each in decision.findings if isinstance(each.subject, Block)}
    return masked_text(without(decision.explain(), _personal(decision.attempt)), blocks)


def masked_listing(listing: Listing) -> str:
    """A listing's subject: blocks in plain text, single subscribers and hosts masked."""
    match listing.kind:
        case "prefix":
            return _block(listing.shown) if _may_be_whole(listing.shown) else listing.shown
        case "network":
            network = ip_network(listing.shown)
            if network.prefixlen > (24 if network.version == 4 else 48):
                return masked_network(network.network_address.exploded)
    return listing.shown


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


def _personal(attempt: Attempt) -> list[str]:
    """The attempt's personal data, longest first: replacing one must not leave part of another."""
    phone, client = attempt.phone, attempt.client
    own = [attempt.session, attempt.account, attempt.device, attempt.solution]
    all_of_it = [phone.e164, phone.e164[1:], phone.e164[:-1], phone.national, client.address,
            client.network, client.site, *own, *attempt.extra.values()]  # fmt: skip
    return sorted((each for each in all_of_it if each and len(each) > 3), key=len, reverse=True)


def _host(found: re.Match[str]) -> str:
    """Masks an IPv6 address or a network smaller than a /48, and leaves anything else."""
    for text in (found[0], found[0].rstrip(".:")):  # the end of a sentence may be caught as well
        try:
            network = ip_network(text)
        except ValueError:
            continue
        if network.version == 6 and network.prefixlen > 48:
            return masked_network(network.network_address.exploded) + found[0][len(text) :]
        break
    return found[0]


def _may_be_whole(prefix: str) -> bool:
    try:
        return possible(parse_number(prefix)) in WHOLE
    except NumberParseException:
        return False


def _block(number: str) -> str:
    return number[:-HIDDEN_DIGITS] + "•" * HIDDEN_DIGITS
