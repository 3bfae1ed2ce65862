"""Personal data, made fit to be shown."""

from __future__ import annotations

from ipaddress import ip_network

SHOWN_DIGITS = 5
"""Of a number or a block of numbers: the calling code and a little more."""


def masked(subject: str | None) -> str | None:
    """A subject without what would name somebody: a country stands as it is, of a number, a block
    or an address the beginning is left, of anything else nothing but its length."""
    if subject is None or subject == "everything" or (len(subject) == 2 and subject.isupper()):
        return subject
    if subject.startswith("+") and subject[1:].isdecimal():
        return subject[:SHOWN_DIGITS] + "•" * max(0, len(subject) - SHOWN_DIGITS)
    try:
        network = ip_network(subject, strict=False)
    except ValueError:
        return "•" * len(subject)
    if network.version == 4:
        return subject.split("/")[0].rsplit(".", 1)[0] + ".•"
    return ":".join(str(network.network_address).split(":")[:3]) + ":•"
