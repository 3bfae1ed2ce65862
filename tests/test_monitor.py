"""``Policy(mode="monitor")``: the switch to begin with. Everything is judged, nothing refused."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from pumpguard import Action, Decision, Guard, Policy, PumpGuardMiddleware, sender
from pumpguard.intake.network import UnknownNetworks
from pumpguard.overrides.document import OverrideDocument
from pumpguard.rules import Number, RateLimit
from pumpguard.testing import FakeClock
from tests.asgi import PHONE, arriving, ask, call, request
from tests.otp_app import Outbox, otp_app

FICTIONAL = "+447700900123"
"""Of a range that is given to nobody: blocked."""


def monitored(outbox: Outbox, decisions: list[Decision], **settings: Any) -> PumpGuardMiddleware:
    """An app that sends, and whose guard monitors."""
    app = otp_app(outbox)
    rules = [
        Number(),
        RateLimit(name="limit", by="phone", limits="1/hour"),
        RateLimit(name="hidden", by="network", limits="2/hour", action="shadow"),
    ]
    policy = Policy(send="/otp/send", mode="monitor", rules=rules, **settings)
    guard = Guard(
        policy, clock=FakeClock(), networks=UnknownNetworks(), on_decision=decisions.append
    )
    return PumpGuardMiddleware(app, guard=guard)


async def test_everything_is_judged_and_nothing_refused() -> None:
    """Limits, blocks and shadows: each message goes out, and each finding is recorded."""
    outbox, decisions = Outbox(), list[Decision]()
    outbox.send = sender(outbox.send)  # type: ignore[method-assign]
    app = monitored(outbox, decisions)
    phones = [PHONE, PHONE, FICTIONAL, PHONE]
    assert [(await ask(app, phone)).status for phone in phones] == [202] * 4
    assert outbox.sent == [PHONE, PHONE, FICTIONAL, PHONE]
    assert [decision.action for decision in decisions] == [Action.ALLOW] * 4
    found = [{finding.rule for finding in decision.findings} for decision in decisions]
    assert found == [set(), {"limit"}, {"number", "hidden"}, {"limit", "hidden"}]
    assert {finding.mode for decision in decisions for finding in decision.findings} == {"monitor"}


@pytest.mark.parametrize(
    "chunks",
    [[b'{"phone": "no number"}'], [b"{", b"never", b" closed"], [b"x" * 60] * 9],
    ids=["no number", "no JSON", "too long"],
)
async def test_what_cannot_be_read_reaches_the_app_whole(chunks: list[bytes]) -> None:
    """A policy that names the wrong field breaks nothing, and the log says so."""
    seen: list[bytes] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            message = await receive()
            seen.append(message["body"])
            more = message["more_body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    policy = Policy(send="/otp/send", mode="monitor", rules=[], max_body=200)
    guarded = PumpGuardMiddleware(app, policy, networks=UnknownNetworks())
    assert (await call(guarded, request(), arriving(*chunks))).status == 200
    assert seen == chunks
    assert guarded.guard.observations.snapshot()["unread"] == 1


async def test_a_persons_posture_still_holds() -> None:
    """The kill switch closes, and a denial is recorded alone."""
    outbox, decisions = Outbox(), list[Decision]()
    app = monitored(outbox, decisions)
    overrides = app.guard.overrides
    await overrides.deny("number", PHONE, author="mike")
    assert (await ask(app)).status == 202
    assert [finding.rule for finding in decisions[-1].findings] == ["lists"]
    await overrides.posture("closed", author="mike")
    assert (await ask(app, FICTIONAL)).status == 429


async def test_exposure_says_that_nothing_is_bounded() -> None:
    """Until a posture is set."""
    document = OverrideDocument()
    assert document.unbounded_because(0) == []
    assert document.unbounded_because(0, "monitor") == [
        "The policy's mode is monitor: nothing is enforced."
    ]


async def test_no_sender_raises() -> None:
    """More messages than the request names, from the event loop's own thread, and one after the app
    has answered as if it sent nothing: each goes out."""
    sent: list[str] = []
    send_sms = sender(sent.append)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for phone in (PHONE, "+447400123457", "+447400123458"):
            send_sms(phone)
        await send({"type": "http.response.start", "status": 404, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        send_sms(PHONE)

    policy = Policy(send="/otp/send", mode="monitor", undecided="refused")
    guarded = PumpGuardMiddleware(app, policy, networks=UnknownNetworks())
    assert (await ask(guarded)).status == 404
    send_sms("+447400123459")
    assert len(sent) == 5


def test_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    """Or it stays switched on."""
    Guard(Policy(send="/otp/send", mode="monitor"), networks=UnknownNetworks())
    assert "PG120 mode='monitor'" in caplog.text
