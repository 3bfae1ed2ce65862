"""``client``: a server asks for a person, and says who that is; only a named one is believed."""

from __future__ import annotations

from typing import Any

import pytest

from pumpguard import Guard, Policy, PolicyError, PumpGuardMiddleware
from pumpguard.intake.network import UnknownNetworks
from tests.asgi import PHONE, call, request
from tests.otp_app import Outbox, otp_app

SERVER, PERSON, STRANGER = "10.0.0.7", "81.2.69.142", "203.0.113.9"


async def seen_by(
    body: bytes, peer: str | None = SERVER, client: str = "json:metadata.ip_address", **headers: str
) -> str | None:
    """The client of a request, as the guard saw it."""
    seen: list[Any] = []
    policy = Policy(send="/otp/send", rules=[], proxies=["10.0.0.0/8", "unix"], client=client)
    guard = Guard(policy, networks=UnknownNetworks(), on_decision=seen.append)
    app = PumpGuardMiddleware(otp_app(Outbox()), guard=guard)
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    scope = request(headers=lines, client=(peer, 4711) if peer else None)
    assert (await call(app, scope, body)).status == 202
    found: str | None = seen[0].attempt.client.address
    return found


def says(address: object) -> bytes:
    text = "null" if address is None else f'"{address}"'
    return f'{{"phone": "{PHONE}", "metadata": {{"ip_address": {text}}}}}'.encode()


async def test_a_named_peer_says_who_asks() -> None:
    """In the body, or in a header; in any spelling of an address; also over a Unix socket."""
    assert await seen_by(says(PERSON)) == PERSON
    assert await seen_by(says(f"::ffff:{PERSON}")) == PERSON
    assert await seen_by(says(PERSON), peer=None) == PERSON
    body = says(STRANGER)
    assert await seen_by(body, client="header:x-user-ip", x_user_ip=PERSON) == PERSON


async def test_a_stranger_speaks_for_himself() -> None:
    """Whatever the body says; also behind our own load balancer."""
    assert await seen_by(says(PERSON), peer=STRANGER) == STRANGER
    assert await seen_by(says(PERSON), x_forwarded_for=STRANGER) == STRANGER
    assert await seen_by(says(PERSON), x_forwarded_for=f"{PERSON}, {STRANGER}") == STRANGER


async def test_a_named_server_behind_our_own_load_balancer_is_believed() -> None:
    assert await seen_by(says(PERSON), peer="10.9.9.9", x_forwarded_for=SERVER) == PERSON


@pytest.mark.parametrize("said", [None, "", "unknown", "localhost", 7])
async def test_what_is_no_address_is_unknown(said: object) -> None:
    """Not the server's own: all its users would share one."""
    assert await seen_by(says(said)) is None


def test_it_has_to_be_said_who_is_believed() -> None:
    with pytest.raises(PolicyError, match=r"client: expected .*proxies="):
        Policy(send="/otp/send", client="json:ip")
    with pytest.raises(PolicyError, match="client: expected a field"):
        Policy(send="/otp/send", client="body:ip", proxies=["10.0.0.0/8"])
