"""A route's shadows are silent only where it has shown that it sends by a wrapped sender."""

from __future__ import annotations

import contextvars

import pytest

from pumpguard import Action, Decision, sender
from pumpguard.notices import INTERVAL, Notices
from pumpguard.shadow.current import CurrentRequest
from pumpguard.shadow.route_record import GRACE, GROWTH, MAX_WAITING, RouteRecord, RouteRecords
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import PHONE, ask, request
from tests.otp_app import Outbox, guarded
from tests.shadow.site import SHADOWED, Site, quiet


class Route:
    """A route's record, by a clock of its own."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.record = RouteRecord("/otp/send", Notices(self.clock), self.clock)

    def answered(self, action: Action, status: int | None = 202, calls: int = 0) -> CurrentRequest:
        """The app has answered a request."""
        request = CurrentRequest(Decision(make_attempt(), action), route=self.record, calls=calls)
        request.answered_at = self.clock()
        if action is Action.SHADOW:
            self.record.answered(request, status)
        return request


def test_a_route_is_trusted_once_a_message_has_passed(caplog: pytest.LogCaptureFixture) -> None:
    """Until then it says so, once an hour."""
    route = Route()
    assert [route.record.trusted() for _ in range(3)] == [False] * 3
    route.clock.advance(INTERVAL)
    assert not route.record.trusted()
    assert caplog.text.count("PG002") == 2
    route.record.passed(True)
    assert route.record.trusted()


def test_a_shadow_without_a_call_ends_the_trust(caplog: pytest.LogCaptureFixture) -> None:
    """At once; and after a few seconds eight more messages have to pass, then 64."""
    route, needed = Route(), 1
    for _ in range(2):
        for _ in range(needed):
            route.record.passed(True)
        assert route.record.trusted()
        route.answered(Action.SHADOW)
        assert not route.record.trusted()
        route.clock.advance(GRACE + 0.1)
        needed *= GROWTH
        for _ in range(needed - 1):
            assert not route.record.trusted()
            route.record.passed(True)
        assert not route.record.trusted()
        assert caplog.text.count("PG060") == 1
        assert "PG002" not in caplog.text
        route.record.passed(True)
        assert route.record.trusted()


def test_a_call_that_comes_after_the_answer_is_a_call() -> None:
    """From a task or a queue; once that is known, several shadows may wait for theirs."""
    route = Route()
    route.record.passed(True)
    first = route.answered(Action.SHADOW)
    assert not route.record.trusted()
    first.called()
    for _ in range(MAX_WAITING):
        assert route.record.trusted()
        last = route.answered(Action.SHADOW)
    assert not route.record.trusted()
    last.called()
    assert route.record.trusted()


@pytest.mark.parametrize("status", [None, 307, 400, 404, 422, 500, 503])
def test_an_app_that_says_that_nothing_was_sent_is_believed(status: int | None) -> None:
    """A shadowed client that forgets a field must not end the shadows of all others."""
    route = Route()
    route.record.passed(True)
    route.answered(Action.SHADOW, status)
    assert route.record.trusted()


async def test_an_app_that_sends_past_its_wrapped_sender_is_found_out(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One message, and the route refuses openly."""
    outbox = Outbox()
    send = sender(outbox.send, shadowed="id")

    async def way(phone: str) -> object:
        return outbox.send(phone) if phone == SHADOWED else send(phone)

    site = Site(way)
    replies = [(await site.ask(phone)).status for phone in (SHADOWED, PHONE, *[SHADOWED] * 5)]
    assert replies == [403, 202, 202, 403, 403, 403, 403]
    assert outbox.sent == [PHONE, SHADOWED]


async def test_a_call_under_no_decision_is_a_message_and_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A reminder is sent in silence; what may be a shadow's is not."""
    outbox = Outbox()
    send = sender(outbox.send, shadowed="id")

    async def way(phone: str) -> object:
        if phone == SHADOWED:
            return contextvars.Context().run(send, "user-7")
        return send(phone)

    site = Site(way)
    assert send("user-1") == "message-1"
    await site.ask(PHONE)
    assert "PG062" not in caplog.text
    await site.ask(SHADOWED)
    contextvars.Context().run(send, "user-7")
    contextvars.Context().run(send, "user-8")
    assert caplog.text.count("PG062") == 1
    assert len(outbox.sent) == 5


async def test_a_provider_that_fails_proves_nothing() -> None:
    def broken(phone: str) -> str:
        raise ConnectionError

    send = sender(broken, shadowed="id")

    async def way(phone: str) -> object:
        try:
            return send(phone)
        except ConnectionError:
            return None

    site = Site(way)
    assert [(await site.ask(phone)).status for phone in (PHONE, SHADOWED)] == [202, 403]


async def test_each_route_is_trusted_by_itself() -> None:
    """One that has wrapped its sender says nothing of its neighbour."""
    outbox = Outbox()
    site = Site(lambda phone: _sent(outbox, phone), send=["/otp/send", "/{tenant}/call"])
    records = RouteRecords(["/otp/send", "/{tenant}/call"], Notices())
    ways = [records.of(request(path=path)) for path in ("/OTP/send/", "/a/call", "/b/call")]
    assert ways[0] is not ways[1]
    assert ways[1] is ways[2]
    assert records.only is None
    assert (await site.ask(PHONE)).status == 202
    assert (await ask(site.guarded, SHADOWED)).status == 202
    assert (await ask(site.guarded, SHADOWED, path="/a/call")).status == 403


async def _sent(outbox: Outbox, phone: str) -> str:
    return sender(outbox.send, shadowed="id")(phone)


async def test_a_sender_that_others_have_wrapped_proves_nothing() -> None:
    """Two apps in one process."""
    outbox = Outbox()
    wrapped = Site(lambda phone: _sent(outbox, phone))
    bare = guarded(wrapped.app, rules=(quiet,), name="bare")
    assert (await wrapped.ask(PHONE)).status == 202
    assert (await ask(bare, SHADOWED)).status == 403
