"""What is odd about a log as a whole, though each of its rows can be read."""

from __future__ import annotations

from ipaddress import ip_network

from pumpguard.intake.address import parse_address
from pumpguard.replay.journal import Journal
from pumpguard.replay.words import counted

MANY = 20
"""Rows. Fewer may well be of one household: no source."""

PRIVATE = tuple(
    ip_network(each)
    for each in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16",
        "100.64.0.0/10", "::1/128", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
"""RFC 1918, RFC 6598 and their like: no client comes from there over the internet."""


def doubts(journal: Journal) -> list[str]:
    """Each as a sentence that asks what the reader alone can know."""
    return [*_about_copies(journal), *_about_codes(journal), *_about_addresses(journal)]


def _about_copies(journal: Journal) -> list[str]:
    lines = []
    if journal.same_id:
        lines.append(
            "Read twice, by the provider's id of the message, and left out once: "
            f"{counted(journal.same_id, 'row')}."
        )
    if journal.in_several_files:
        lines.append(
            "In more than one file, with the same time, number and address, and counted once: "
            f"{counted(journal.in_several_files, 'row')}."
        )
    return lines


def _about_codes(journal: Journal) -> list[str]:
    lost = journal.codes_without_message()
    if 2 * lost <= journal.verifications:
        return []
    return [
        f"Codes that belong to no message in the hour before them: {lost:,} of "
        f"{journal.verifications:,}. Another time zone (--zone), or other days? They count for no "
        "customer."
    ]


def _about_addresses(journal: Journal) -> list[str]:
    rows = journal.with_addresses
    if rows < MANY:
        return []
    addresses = journal.addresses()
    first, second = next(addresses), next(addresses, None)
    if second is None:
        what = f"one address, {first}"
    elif all(map(_is_private, (first, second))) and all(map(_is_private, addresses)):
        what = "private addresses"
    else:
        return []
    return [
        f"All {rows:,} rows with an address have {what}: your own proxy's? Rules about addresses "
        "are wrong then."
    ]


def _is_private(text: str) -> bool:
    address = parse_address(text)
    return address is not None and any(address in network for network in PRIVATE)
