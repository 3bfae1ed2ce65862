"""Listeners hear what a guard has done, after the reply, and hold nobody up."""

from __future__ import annotations

import io
import json
import logging

import pytest
import structlog
from starlette.types import Message, Receive, Scope, Send

from pumpguard import Action, Guard, Policy
from pumpguard.alerts import Alert
from pumpguard.decision import Decision
from pumpguard.listeners import Became, Change, Listener, Listeners, Recorded
from pumpguard.notices import Notices
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import PHONE, arriving, ask, call, request
from tests.otp_app import Outbox, guarded, otp_app

OTHER = "+447400123457"


class Heard(Listener):
    """Notes all that it hears."""

    def __init__(self) -> None:
        self.decisions: list[Recorded] = []
        self.outcomes: list[Became] = []
        self.changes: list[Change] = []
        self.alerts: list[Alert] = []
        self.closed = 0
        self.answers: list[tuple[str, int]] = []

    def answering(self, decision: Decision) -> None:
        self.answers.append((str(decision.action), len(self.decisions)))

    def decided(self, recorded: Recorded) -> None:
        self.decisions.append(recorded)

    def outcome(self, became: Became) -> None:
        self.outcomes.append(became)

    def overridden(self, change: Change) -> None:
        self.changes.append(change)

    def alerted(self, alert: Alert) -> None:
        self.alerts.append(alert)

    async def aclose(self) -> None:
        self.closed += 1


async def test_a_decision_comes_with_its_exchange() -> None:
    """What was asked for and how it was answered, by the app or by a refusal."""
    app, heard = guarded(otp_app(Outbox())), Heard()
    app.guard.listen(heard)
    assert (await ask(app)).status == 202
    assert (await ask(app)).status == 429
    sent, refused = heard.decisions
    assert heard.answers == [("allow", 0), ("throttle", 1)]  # before each is answered
    assert sent.decision.allowed
    assert refused.decision.action is Action.THROTTLE
    assert sent.at == app.guard.overrides.now()
    for recorded, status in ((sent, 202), (refused, 429)):
        assert recorded.exchange is not None
        assert recorded.exchange.status == status
        assert (recorded.exchange.method, recorded.exchange.path) == ("POST", "/otp/send")
        assert recorded.exchange.protocol == "http"
        assert recorded.seconds is not None
        assert recorded.seconds > 0


async def test_an_app_that_raises_has_answered_500() -> None:
    """So does the server that it runs in."""

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        raise OSError

    app, heard = guarded(fails), Heard()
    app.guard.listen(heard)
    with pytest.raises(OSError):
        await ask(app)
    (recorded,) = heard.decisions
    assert recorded.exchange is not None
    assert recorded.exchange.status == 500


async def test_it_is_called_after_the_reply() -> None:
    """The client has its answer before anybody hears of it."""
    order: list[str] = []

    class Orders(Listener):
        def decided(self, recorded: Recorded) -> None:
            order.append("heard")

    app = guarded(otp_app(Outbox()))
    app.guard.listen(Orders())

    async def send(message: Message) -> None:
        order.append(message["type"])

    for _ in range(2):  # one is sent, one is refused
        await app(request(), arriving(json.dumps({"phone": PHONE}).encode()), send)
    assert order == ["http.response.start", "http.response.body", "heard"] * 2


async def test_without_http_there_is_no_exchange() -> None:
    """A worker that asks the guard itself is heard all the same."""
    guard, heard = Guard(Policy(send="/otp/send"), clock=FakeClock()), Heard()
    guard.listen(heard)
    decision = await guard.assess(guard.attempt(PHONE))
    assert heard.decisions == [Recorded(decision, guard.overrides.now())]
    await guard.aclose()
    assert heard.closed == 1


async def test_outcomes_are_heard_once_they_are_known() -> None:
    """Who verified, with the messages that this has paid for; and what was not sent."""
    clock, heard = FakeClock(), Heard()
    guard = Guard(Policy(send="/otp/send", settled=True), clock=clock)
    guard.listen(heard)
    for phone in (PHONE, OTHER):
        attempt = make_attempt(phone, at=clock.now, price=0.05)
        decision = await guard.assess(attempt)
        assert decision.allowed
        clock.advance(1)
    guard.settle(decision, "not_sent")
    guard.verified(PHONE)
    await guard.settled()
    failed, verified = sorted(heard.outcomes, key=lambda each: each.outcome)
    assert (failed.outcome, failed.phone.e164, failed.attempt) == ("failed", OTHER, attempt)
    assert (verified.outcome, verified.phone.e164) == ("verified", PHONE)
    assert (verified.messages, verified.usd) == (1, 0.05)
    await guard.aclose()


async def test_orders_are_heard_without_the_number() -> None:
    """Who has changed what, why, and until when."""
    clock, heard = FakeClock(), Heard()
    guard = Guard(Policy(send="/otp/send"), clock=clock)
    guard.listen(heard)
    await guard.overrides.posture("closed", author="ann", reason="attack", seconds=60)
    await guard.overrides.allow("number", PHONE, author="ann", seconds=3_600)
    await guard.overrides.remove("number", PHONE, author="bob", reason="done")
    posture, allowed, removed = heard.changes
    assert (posture.what, posture.value, posture.author) == ("posture", "closed", "ann")
    assert posture.until == clock.now + 60
    assert (allowed.what, allowed.kind, allowed.until) == ("allow", "number", clock.now + 3_600)
    assert (removed.what, removed.author, removed.reason) == ("remove", "bob", "done")
    assert PHONE[1:] not in repr(heard.changes)
    await guard.aclose()


async def test_one_that_raises_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, and the request is answered as ever."""

    class Fails(Listener):
        name = "the worst one"

        def decided(self, recorded: Recorded) -> None:
            raise RuntimeError

    app, heard = guarded(otp_app(Outbox())), Heard()
    app.guard.listen(Fails())
    app.guard.listen(heard)
    assert (await ask(app)).status == 202
    assert (await ask(app, OTHER)).status == 202
    assert len(heard.decisions) == 2
    assert caplog.text.count("PG044 the worst one has raised") == 1


async def test_what_cannot_be_read_is_no_decision() -> None:
    """There is nothing to record."""
    app, heard = guarded(otp_app(Outbox())), Heard()
    app.guard.listen(heard)
    assert (await call(app, request(), b"{")).status == 400
    assert heard.decisions == []


async def test_every_refusal_is_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """With its facts beside it, and nobody's number or address."""
    app = guarded(otp_app(Outbox()))
    with caplog.at_level(logging.INFO, "pumpguard.decisions"):
        replies = [await ask(app) for _ in range(2)]
    (line,) = [each for each in caplog.records if each.name == "pumpguard.decisions"]
    reference = replies[1].json["reference"]
    assert line.getMessage() == (
        f"throttle {reference} +447400123••• (GB) for 198.51.100.•: limit RATE_LIMIT"
    )
    facts = line.__dict__
    assert (facts["reference"], facts["rule"]) == (reference, "limit")
    assert (facts["action"], facts["country"]) == ("throttle", "GB")
    assert PHONE[1:] not in repr(facts)
    assert "198.51.100.7" not in repr(facts)


async def test_structlog_prints_the_facts() -> None:
    """As any formatter that passes on what is beside the line."""
    made = io.StringIO()
    handler = logging.StreamHandler(made)
    pre = [structlog.stdlib.ExtraAdder()]
    renderer = structlog.processors.JSONRenderer()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=pre)
    )
    logger = logging.getLogger("pumpguard.decisions")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        app = guarded(otp_app(Outbox()))
        replies = [await ask(app) for _ in range(2)]
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)
    told = json.loads(made.getvalue())
    assert told["reference"] == replies[1].json["reference"]
    assert told["rule"] == "limit"


def test_a_refusal_is_recorded_where_nobody_watches() -> None:
    """As of a guard whose listeners are all it has."""
    listeners, heard = Listeners(Notices()), list[Decision]()

    class Hears(Listener):
        name = "a test"

        def decided(self, recorded: Recorded) -> None:
            heard.append(recorded.decision)

    listeners.append(Hears())
    refused = Decision(make_attempt(), Action.BLOCK)
    listeners.record(refused, 0.0, None)
    assert heard == [refused]
