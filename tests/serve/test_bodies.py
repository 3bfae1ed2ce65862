"""Bodies are read strictly: what two programs could read as two things is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard.errors import IntakeError, PolicyError, TicketError
from pumpguard.intake.fields import decode_json
from pumpguard.outcomes import Ticket
from pumpguard.serve.bodies import MAX_BATCH, Attempted, Named, Settled, Verified, one_or_many
from tests.serve.conftest import PHONE, Client

NESTED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["phone", "address", "session", "proved", "extra", "ticket", "outcome"])


@pytest.mark.parametrize(
    ("body", "status", "path"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"[]", 422, "body"),
        (b"null", 422, "body"),
        (b"{}", 422, "phone"),
        (b'{"phone": 447400123456}', 422, "phone"),
        (b'{"phone": null}', 422, "phone"),
        (b'{"phone": "+447400123456", "phone": "+447400123457"}', 400, None),
        (b'{"phone": "+447400123456", "extra": {"tenant": "a", "tenant": "b"}}', 400, None),
        (b'{"phone": "+447400123456", "Phone": "+447400123457"}', 422, "body"),
        (b'{"phone": "+447400123456", "session": true}', 422, "session"),
        (b'{"phone": "+447400123456", "session": 1.5}', 422, "session"),
        (b'{"phone": "+447400123456", "session": NaN}', 422, "session"),
        (b'{"phone": "+447400123456", "session": "\\ud800"}', 400, None),
        (b'{"phone": "+447400123456", "session": ["a"]}', 422, "session"),
        (b'{"phone": "+447400123456", "proved": 1}', 422, "proved"),
        (b'{"phone": "+447400123456", "proved": "true"}', 422, "proved"),
        (b'{"phone": "+447400123456", "extra": {"tenant": null}}', 422, "extra"),
        (b'{"phone": "+447400123456", "extra": {"tenant": {}}}', 422, "extra"),
        (b'{"phone": "+447400123456", "address": ""}', 422, "address"),
        (b'{"phone": "+447400123456", "address": "81.2.69.142, 10.0.0.1"}', 422, "address"),
        (b'{"attempts": []}', 422, "attempts"),
        (b'{"attempts": {}}', 422, "attempts"),
        (b'{"attempts": [{"phone": 1}]}', 422, "attempts.0.phone"),
        (b'{"attempts": [[]]}', 422, "attempts.0"),
        (b'{"attempts": [{"phone": "1"}], "phone": "1"}', 422, "body"),
        (b'{"attempts": [], "attempts": [{"phone": "1"}]}', 400, None),
        (json.dumps({"attempts": [{"phone": PHONE}] * (MAX_BATCH + 1)}).encode(), 422, "attempts"),
        (b" " * 262_145, 413, None),
    ],
)
async def test_what_is_refused(client: Client, body: bytes, status: int, path: str | None) -> None:
    """With the field, and nothing of what was sent; and nothing is counted."""
    reply = await client.post("/v1/assess", body)
    assert (reply.status, reply.json.get("path")) == (status, path)
    assert "4474" not in reply.body.decode()
    assert (await client.get("/metrics.json")).json["total_requests"] == 0


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/plain"},
        {"content_type": "application/json; charset=utf-16"},
        {"content_type": ""},
        {"content_encoding": "gzip"},
    ],
)
async def test_json_in_utf8_and_nothing_else(client: Client, headers: dict[str, str]) -> None:
    assert (await client.post("/v1/assess", {"phone": PHONE}, **headers)).status == 415


@given(
    found=NESTED | st.dictionaries(NAMES, NESTED | st.just(PHONE), max_size=4),
    cls=st.sampled_from([Attempted, Verified, Settled, Named]),
    name=st.sampled_from(["attempts", "phone", "ticket"]),
)
def test_whatever_comes_is_read_or_refused(found: Any, cls: type, name: str) -> None:
    """No other exception, and what is read is of its types."""
    try:
        read: Any = one_or_many(cls, name, decode_json(json.dumps(found).encode()))
    except (IntakeError, PolicyError):
        return
    for each in read if isinstance(read, list) else [read]:
        assert isinstance(each, cls)


@given(facts=st.lists(NESTED, max_size=13))
def test_a_ticket_is_one_or_is_refused(facts: list[Any]) -> None:
    """It comes back from outside: what is in it has the types of what was written."""
    import base64

    text = base64.urlsafe_b64encode(json.dumps(facts).encode()).decode()
    with pytest.raises(TicketError):
        Ticket.parse(text)
    deep = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    with pytest.raises(TicketError):
        Ticket.parse(deep)
