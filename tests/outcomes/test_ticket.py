"""A ticket travels as text and means the same where it arrives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import TicketError
from pumpguard.attempt import NetworkKind
from pumpguard.outcomes import Ticket
from pumpguard.testing import make_attempt

keys = st.none() | st.text()


@given(
    reservation=st.binary(min_size=4, max_size=4),
    address=st.sampled_from(["203.0.113.9", "2001:db8::9", None]),
    session=keys,
    account=keys,
    device=keys,
    extra=st.dictionaries(st.sampled_from(["email_domain", "agent"]), st.text()),
    asn=keys,
    kind=st.sampled_from(get_args(NetworkKind)),
    full=st.lists(st.text(), max_size=2).map(tuple),
)
def test_a_ticket_survives_being_text(
    reservation: bytes,
    address: str | None,
    asn: str | None,
    kind: NetworkKind,
    full: tuple[str, ...],
    **facts: Any,
) -> None:
    attempt = replace(make_attempt(address=address, country="GB"), **facts)
    attempt = replace(attempt, client=replace(attempt.client, asn=asn, kind=kind))
    there = Ticket.parse(str(Ticket(reservation, attempt, full)))
    assert (there.reservation, there.full) == (reservation, full)
    dimensions = ("phone", "network", "site", "client_country", "session", "account", "device")
    for by in (*dimensions, "client_abroad", "client_hidden", "asn", "email_domain", "agent"):
        assert there.attempt.subject(by) == attempt.subject(by)


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(TicketError):
        Ticket.parse(text)


@pytest.mark.parametrize("text", ["e30=", "W10=", "WzEsMl0=", "bnVsbA==", ""])
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(TicketError):
        Ticket.parse(text)
