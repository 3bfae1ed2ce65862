"""What a guard says of the app around it, and after how many requests."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from pumpguard import Attempt, Policy, PumpGuardMiddleware
from pumpguard.attempt import Client
from pumpguard.intake.network import UnknownNetworks
from pumpguard.observations.crowd import ENOUGH, RANGES, SAMPLE, Crowd
from pumpguard.observations.peers import EACH, FEW, IN_A_ROW, NUMBERS
from pumpguard.observations.unguarded import OTHERS
from pumpguard.testing import make_attempt
from tests.asgi import Reply, ask, call, request
from tests.otp_app import Outbox, guarded, otp_app


def said(caplog: pytest.LogCaptureFixture, code: str) -> list[str]:
    """The warnings with this code."""
    records = [each for each in caplog.records if each.levelno >= logging.WARNING]
    return [each.getMessage() for each in records if each.getMessage().startswith(code)]


@pytest.mark.parametrize("path", ["/v1/otp/send", "/api/v2/otp/send/"])
async def test_a_route_without_its_prefix_is_said_at_once(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A mounted app, or a router: the policy names its own path, and nothing is guarded."""
    app = guarded(otp_app(Outbox(), path.rstrip("/")))
    for _ in range(3):
        await ask(app, path=path)
    [line] = said(caplog, "PG070")
    assert path in line


async def test_a_route_that_is_never_met_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """After so many requests that it might have met; pages that are looked at do not count."""
    app = guarded(otp_app(Outbox(), "/sms"), send="/otp/send")
    for _ in range(OTHERS):
        await ask(app, path="/sms", method="GET")
        assert said(caplog, "PG070") == []
    for _ in range(OTHERS):
        await ask(app, path="/sms")
    assert len(said(caplog, "PG070")) == 1


async def test_a_route_that_was_met_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    """However many other requests there are."""
    app = guarded(otp_app(Outbox()))
    await ask(app)
    for _ in range(2 * OTHERS):
        await ask(app, path="/v1/otp/send")
    assert said(caplog, "PG070") == []


async def test_a_wrong_field_is_said_after_twenty(caplog: pytest.LogCaptureFixture) -> None:
    """Each user gets 422; the counts have them from the first."""
    app = guarded(otp_app(Outbox()), phone="json:mobile")
    for count in range(1, IN_A_ROW + 5):
        assert (await ask(app)).status == 422
        assert len(said(caplog, "PG072")) == (count >= IN_A_ROW)
    observed = app.guard.observations
    assert observed.snapshot()["unreadable"] == {"phone-number": IN_A_ROW + 4}
    assert "missing" in said(caplog, "PG072")[0]


async def test_some_bad_requests_are_not_said(caplog: pytest.LogCaptureFixture) -> None:
    """Strangers send anything; one that can be read says that the setting is right."""
    app = guarded(otp_app(Outbox()))
    for _ in range(3):
        for _ in range(IN_A_ROW - 1):
            await call(app, request(content_type="text/plain"), b"?")
        await ask(app)
    assert said(caplog, "PG072") == []
    assert app.guard.observations.counts["unread"] == 3 * (IN_A_ROW - 1)


async def test_no_client_address_is_said_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """Behind a Unix socket; and with the socket named, the header is believed."""
    app = guarded(otp_app(Outbox()))
    forwarded = {"x-forwarded-for": "198.51.100.9"}
    await ask(app, client=None, headers=forwarded)
    assert len(said(caplog, "PG073")) == 1
    caplog.clear()
    app = guarded(otp_app(Outbox()), proxies=["unix"])
    await ask(app, client=None, headers=forwarded)
    assert said(caplog, "PG073") == said(caplog, "PG074") == []


async def test_a_proxy_that_is_not_named_is_said_by_name(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """From inside at once; from outside, where anybody may send the header, after a while."""
    app = guarded(otp_app(Outbox()), proxies=["10.0.1.0/24"])
    forwarded = {"x-forwarded-for": "198.51.100.9"}
    await ask(app, client=("10.0.1.9", 1), headers=forwarded)
    await ask(app, client=("10.0.3.17", 1))
    assert said(caplog, "PG074") == []
    for _ in range(3):
        await ask(app, client=("10.0.3.17", 1), headers=forwarded)
    [line] = said(caplog, "PG074")
    assert "10.0.3.17" in line
    caplog.clear()
    for n in range(IN_A_ROW):
        assert said(caplog, "PG074") == []
        await ask(app, f"+447400{200_000 + 7_919 * n}", client=("8.8.4.4", 1), headers=forwarded)
    assert len(said(caplog, "PG074")) == 1


async def test_clients_that_all_share_an_address_are_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Or a few private ones, as a cluster's nodes have them; not what one person repeats, and not
    where a second client was ever seen."""

    async def asks(*addresses: str, numbers: int = EACH) -> list[str]:
        app = guarded(otp_app(Outbox()))
        for n in range(EACH):
            client = (addresses[n % len(addresses)], 1)
            await ask(app, f"+447400{200_000 + 7_919 * (n % numbers)}", client=client)
        lines = said(caplog, "PG092")
        caplog.clear()
        return lines

    [line] = await asks("10.0.3.17")
    assert "10.0.3.17" in line
    [line] = await asks("10.0.3.17", "10.0.3.18")
    assert "10.0.3.17 and 10.0.3.18" in line
    [line] = await asks("8.8.4.4")
    assert "8.8.4.•" in line
    assert await asks("10.0.3.17", numbers=NUMBERS - 1) == []
    assert await asks("8.8.4.4", "8.8.4.5") == []
    assert await asks(*(f"10.0.3.{n}" for n in range(FEW + 1))) == []


async def test_a_websocket_on_a_guarded_path_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """It reaches the app as before."""
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    policy = Policy(send="/otp/send", home=["GB"])
    middleware = PumpGuardMiddleware(app, policy, networks=UnknownNetworks())
    for path in ("/chat", "/otp/send", "/otp/send"):
        scope: dict[str, Any] = {"type": "websocket", "path": path, "headers": []}
        await middleware(scope, _nothing, Reply().send)
    assert seen == ["websocket"] * 3
    assert len(said(caplog, "PG077")) == 1
    assert middleware.guard.observations.counts["websockets"] == 2


async def _nothing() -> Any:
    raise AssertionError("nobody listens")


def test_a_second_guard_is_said_once(caplog: pytest.LogCaptureFixture, name: str) -> None:
    """As when a framework builds the middleware anew for every route."""
    policy = Policy(send="/otp/send", home=["GB"], name=name)
    app = otp_app(Outbox())
    guards = [PumpGuardMiddleware(app, policy, "memory://") for _ in range(24)]
    other = PumpGuardMiddleware(app, Policy(send="/s", name=name + "x"), "memory://")
    shared = PumpGuardMiddleware(app, guard=guards[0].guard)
    assert len(said(caplog, "PG078")) == 1
    assert shared.guard is not other.guard


async def test_what_was_seen_is_ready_for_json() -> None:
    """For whoever shows it."""
    app = guarded(otp_app(Outbox()))
    await ask(app)
    await call(app, request(), b"{}")
    seen = json.loads(json.dumps(app.guard.observations.snapshot()))
    assert (seen["read"], seen["unread"], seen["unreadable"]) == (1, 1, {"phone-number": 1})


def a_request(n: int, ranges: int, networks: int, start: str = "+4474") -> Attempt:
    """One for a number of one of so many ranges, from one of so many networks."""
    client = Client(network=f"81.2.{n % networks}.0")
    return replace(make_attempt(f"{start}{n % ranges:02}{n:06}"), client=client)


@pytest.mark.parametrize(
    ("ranges", "networks", "held"),
    [(40, 200, True), (3, 200, False), (40, 4, False), (7, 20, True)],
)
def test_a_crowd_comes_from_all_over(ranges: int, networks: int, *, held: bool) -> None:
    """Few ranges of numbers, or few networks, have people in no country."""
    crowd = Crowd()
    crowd.monitored = True
    seen = [crowd.lifts(a_request(n, ranges, networks)) for n in range(2 * SAMPLE)]
    assert all(seen[: ENOUGH - 1])
    assert set(seen[2 * ENOUGH :]) == {held}
    few = crowd.stands_out(make_attempt("+447400123456").phone)
    assert few is (ranges < RANGES)


def test_an_attack_stands_out_of_a_crowd() -> None:
    """Its requests alone, however many they are; and the crowd is itself again after it."""
    crowd = Crowd()
    crowd.monitored = True
    for n in range(4 * SAMPLE):
        attacks = n % 3 > 0 and n < 2 * SAMPLE
        held = crowd.lifts(a_request(n, 2 if attacks else 40, 200, "+4479" if attacks else "+4474"))
        assert held is not attacks or n < 2 * ENOUGH
    assert crowd._same_range == sum(n * (n - 1) // 2 for n in crowd._ranges.values())
    assert crowd._same_network == sum(n * (n - 1) // 2 for n in crowd._networks.values())


RULES: dict[str, dict[str, Any]] = {"number": {"only_regions": ["FR"]}}


async def test_a_policy_that_refuses_everybody_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """By a rule that counts nothing: it is so from the first request on, and will be for the
    last."""
    app = guarded(otp_app(Outbox()), rules=RULES)
    for n in range(OTHERS):
        assert (await ask(app, f"+44740012{n:04}")).status == 403
        assert len(said(caplog, "PG094")) == (n + 1 == OTHERS)
    assert "number (NUMBER_REGION)" in said(caplog, "PG094")[0]


async def test_who_passed_once_shows_that_it_is_not_everybody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever comes later."""
    app = guarded(otp_app(Outbox()), rules=RULES)
    assert (await ask(app, "+33612345678")).status == 202
    for n in range(2 * OTHERS):
        await ask(app, f"+44740012{n:04}")
    assert said(caplog, "PG094") == []


@pytest.mark.parametrize("differs_at", [None, 1, OTHERS - 1])
async def test_one_number_for_all_is_said(
    differs_at: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """A field that is not the user's has one value; a single other one shows that it is his."""
    app = guarded(otp_app(Outbox()))
    for n in range(OTHERS):
        await ask(app, "+447400654321" if n == differs_at else "+447400123456")
        assert len(said(caplog, "PG093")) == (n + 1 == OTHERS and differs_at is None)
    assert "447400" not in "".join(said(caplog, "PG093"))


async def test_one_session_for_all_is_said_and_one_tenant_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An app may have one tenant; and an account that only some requests have says nothing."""
    app = guarded(
        otp_app(Outbox()), session="header:x-app", account="header:x-user",
        dimensions={"tenant": "header:x-tenant"},
    )  # fmt: skip
    for n in range(OTHERS):
        headers = {"x-app": "ios", "x-tenant": "acme"} | ({"x-user": "1"} if n else {})
        await ask(app, f"+44740012{n:04}", headers=headers)
    [line] = said(caplog, "PG093")
    assert "session=" in line
