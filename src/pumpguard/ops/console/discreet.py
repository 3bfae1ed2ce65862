"""Nothing on a page is a whole number or a whole address, wherever it has come from."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network

from phonenumbers import NumberParseException, ValidationResult
from phonenumbers import is_possible_number_with_reason as possible
from phonenumbers import parse as parse_number

from pumpguard.attempt import Attempt
from pumpguard.decision import Decision
from pumpguard.orders.lists import Listing

HIDDEN = "•••"
LAST = 4
"""Digits that are hidden where something may be a whole number."""

NUMBER = re.compile(r"\+[0-9]{7,15}|(?<![0-9.])[0-9]{11,15}(?![0-9])")
IPV4 = re.compile(
    r"(?<![0-9.])([0-9]{1,3}(?:\.[0-9]{1,3}){2})\.[0-9]{1,3}(?![0-9.]|/(?:[0-9]|1[0-9]|2[0-4])\b)"
)
IPV6 = re.compile(r"(?<![0-9a-f:.])[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(/[0-9]+)?", re.IGNORECASE)

WHOLE = (ValidationResult.IS_POSSIBLE, ValidationResult.IS_POSSIBLE_LOCAL_ONLY)


def discreet(text: str) -> str:
    """What people have written, or a rule has found, without whole numbers and addresses."""
    text = NUMBER.sub(lambda found: _block(found[0]), text)
    text = IPV6.sub(_host, text)
    return IPV4.sub(r"\1.•", text)


def without(text: str, said: Iterable[str]) -> str:
    """A message without what somebody has just typed."""
    for each in said:
        if each:
            text = text.replace(each, HIDDEN)
    return text


def explained(decision: Decision) -> str:
    """`Decision.explain`, also where a rule's evidence repeats what a request came with."""
    return discreet(without(decision.explain(), _personal(decision.attempt)))


def listed(listing: Listing) -> str:
    """What an entry is about: blocks as they are, single subscribers and hosts masked."""
    match listing.kind:
        case "prefix":
            return _block(listing.shown) if _may_be_whole(listing.shown) else listing.shown
        case "network":
            network = ip_network(listing.shown)
            if network.prefixlen > (24 if network.version == 4 else 48):
                return _masked(network.network_address)
    return listing.shown


def _personal(attempt: Attempt) -> list[str]:
    """The longest first, so that none leaves a rest of another."""
    phone, client = attempt.phone, attempt.client
    own = [attempt.session, attempt.account, attempt.device, attempt.solution]
    said = [phone.e164, phone.e164[1:], phone.e164[:-1], phone.national, client.address,
            client.network, client.site, *own, *attempt.extra.values()]  # fmt: skip
    return sorted((each for each in said if each and len(each) > 3), key=len, reverse=True)


def _host(found: re.Match[str]) -> str:
    """What looks like an IPv6 address, masked if it is one, or a network as small as a house."""
    for text in (found[0], found[0].rstrip(".:")):  # the end of a sentence may be caught as well
        try:
            network = ip_network(text)
        except ValueError:
            continue
        small = network.version == 6 and network.prefixlen > 48
        return _masked(network.network_address) + found[0][len(text) :] if small else found[0]
    return found[0]


def _masked(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address).rpartition(".")[0] + ".•"
    return ":".join(address.exploded.split(":")[:3]) + ":•"


def _may_be_whole(prefix: str) -> bool:
    try:
        return possible(parse_number(prefix)) in WHOLE
    except NumberParseException:
        return False


def _block(number: str) -> str:
    return number[:-LAST] + "•" * LAST
