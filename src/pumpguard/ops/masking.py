"""Text without personal data: whole numbers and addresses are masked wherever they come from."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_network

from pumpguard.attempt import Attempt
from pumpguard.masking import Block, masked_network

HIDDEN = "•••"
HIDDEN_DIGITS = 4
"""Last digits that are hidden of what may be a whole number."""

DIGITS = re.compile("[0-9]{5,}")
NUMBER = re.compile(r"\+[0-9]{7,15}(?![0-9]|•{2})|(?<![0-9.])[0-9]{11,15}(?![0-9])")
"""What may be a whole number, and is not masked yet."""
IPV4 = re.compile(
    r"(?<![0-9.])([0-9]{1,3}(?:\.[0-9]{1,3}){2})\.[0-9]{1,3}(?![0-9.]|/(?:[0-9]|1[0-9]|2[0-4])\b)"
)
IPV6 = re.compile(r"(?<![0-9a-f:.])[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(/[0-9]+)?", re.IGNORECASE)


def masked_text(text: str, shown: Collection[str] = ()) -> str:
    """Free text, from people or a rule's evidence, with whole numbers and addresses masked, but for
    the blocks to be ``shown``."""
    text = NUMBER.sub(lambda found: found[0] if found[0] in shown else masked_block(found[0]), text)
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

    return ", ".join(f"{name}={masked_value(value)}" for name, value in evidence.items())


def masked_value(value: object, hidden: Iterable[str] = ()) -> object:
    """One piece of evidence, without texts that are ``hidden`` in any case."""
    if isinstance(value, Block) or not isinstance(value, str):
        return value
    return masked_digits(masked_text(without(value, hidden)))


def masked_digits(text: str) -> str:
    """Text without five digits in a row."""
    return DIGITS.sub(HIDDEN, text)


def personal(attempt: Attempt) -> list[str]:
    """The attempt's personal data, longest first: replacing one must not leave part of another."""
    phone, client = attempt.phone, attempt.client
    own = [attempt.session, attempt.account, attempt.device, attempt.solution]
    all_of_it = [phone.e164, phone.e164[1:], phone.e164[:-1], phone.national, client.address,
            client.network, client.site, *own, *attempt.extra.values()]  # fmt: skip
    return sorted([each for each in all_of_it if each and len(each) > 3], key=len, reverse=True)


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


def masked_block(number: str) -> str:
    """Digits that may be a whole number, without the last ones."""
    return number[:-HIDDEN_DIGITS] + "•" * HIDDEN_DIGITS
