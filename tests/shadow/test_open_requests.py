"""Which request a sender is called for, and what came of it."""

from __future__ import annotations

import asyncio
import contextvars
from contextlib import nullcontext

import pytest

from pumpguard import Action, Decision, sender
from pumpguard.shadow.current import CurrentRequest, SendOutcome, current_request
from pumpguard.shadow.numbers import numbers_in
from pumpguard.shadow.open_requests import LINGER, MAX_LINGERING, OpenRequests
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import PHONE

OTHER = "+447400999999"


class Requests(OpenRequests):
    """Open requests of a test's own, by its clock."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        super().__init__(self.clock)

    def run(self, action: Action, phone: str = PHONE, status: int | None = 202) -> CurrentRequest:
        """A request that the app has answered without calling its sender."""
        request = CurrentRequest(Decision(make_attempt(phone), action))
        self.leave(request, self.enter(request, None), status)
        return request

    def called(self, *args: object) -> CurrentRequest | None:
        """The request that a sender called with these arguments is for."""
        return self.claim(numbers_in(args))[0]


def test_of_two_requests_for_one_number_each_gets_its_call() -> None:
    """A stranger under a shadow asks for a number when its owner does: one message goes out."""
    requests = Requests()
    mine, theirs = requests.run(Action.ALLOW), requests.run(Action.SHADOW)
    assert [requests.called(PHONE) for _ in range(3)] == [mine, theirs, None]
    assert (mine.calls, theirs.calls) == (1, 1)


@pytest.mark.parametrize("status", [400, 404, 422, 500, 307, 308])
def test_a_request_by_which_nothing_is_sent_awaits_no_call(status: int) -> None:
    """Or a message to that number, for other reasons, would take its place."""
    requests = Requests()
    requests.run(Action.SHADOW, status=status)
    assert requests.called(PHONE) is None


def test_a_call_is_awaited_for_a_minute() -> None:
    requests = Requests()
    late = requests.run(Action.SHADOW)
    requests.clock.advance(LINGER)
    assert requests.awaiting() == [late]
    assert requests.called(PHONE) is late
    requests.run(Action.SHADOW)
    requests.clock.advance(LINGER + 1)
    assert requests.called(PHONE) is None


def test_while_the_app_works_a_second_call_is_the_same_requests() -> None:
    """Such as a second attempt in a pool's thread."""
    requests = Requests()
    request = CurrentRequest(Decision(make_attempt(PHONE), Action.SHADOW))
    token = requests.enter(request, None)
    elsewhere = contextvars.Context()
    found = [elsewhere.run(requests.called, PHONE) for _ in range(2)]
    requests.leave(request, token, 202)
    assert found == [request, request]
    assert elsewhere.run(requests.called, PHONE) is None


def test_a_worker_that_a_request_has_started_keeps_silent_for_that_one_alone() -> None:
    """Its context is that request's for ever."""
    requests = Requests()
    first = CurrentRequest(Decision(make_attempt(PHONE), Action.SHADOW))
    token = requests.enter(first, None)
    worker = contextvars.copy_context()
    requests.leave(first, token, 202)
    assert worker.run(requests.called, OTHER) is first  # the number, as this app spells it
    second = requests.run(Action.ALLOW, OTHER)
    assert worker.run(requests.called, OTHER) is second
    assert worker.run(requests.called, OTHER) is None
    assert worker.run(requests.called, "user-7") is first
    requests.clock.advance(LINGER + 1)
    assert worker.run(requests.called, "user-8") is None
    third = requests.run(Action.SHADOW)
    assert worker.run(requests.called, PHONE) is third


def test_no_more_than_so_many_are_remembered() -> None:
    requests = Requests()
    for _ in range(MAX_LINGERING + 10):
        requests.run(Action.SHADOW)
    assert len(requests.awaiting()) == MAX_LINGERING


class ApiTimeout(Exception):
    """As HTTP clients name theirs, which derive from nothing in common."""


class Hangup(Exception):
    """Means to its app that the answer did not come in time."""


OUTCOMES: dict[SendOutcome, tuple[BaseException | None, ...]] = {
    "sent": (None,),
    "not_sent": (ValueError("no such number"), ConnectionRefusedError()),
    "unknown": (TimeoutError(), ApiTimeout(), Hangup(), asyncio.CancelledError()),
}
CASES = [(outcome, error) for outcome, errors in OUTCOMES.items() for error in errors]


@pytest.mark.parametrize(("outcome", "error"), CASES)
@pytest.mark.parametrize("kind", ["plain", "asynchronous"])
async def test_what_came_of_a_call(
    kind: str, outcome: SendOutcome, error: BaseException | None
) -> None:
    """It returned, it raised, or nobody knows."""

    def send(phone: str) -> None:
        if error is not None:
            raise error

    async def send_later(phone: str) -> None:
        send(phone)

    request = CurrentRequest(Decision(make_attempt(PHONE)))
    token = current_request.set(request)
    with nullcontext() if error is None else pytest.raises(type(error)):
        if kind == "plain":
            sender(send, timeouts=(Hangup,))(PHONE)
        else:
            await sender(send_later, timeouts=(Hangup,))(PHONE)
    current_request.reset(token)
    assert (request.calls, request.outcome) == (1, outcome)


def test_of_several_calls_the_one_that_costs_most_counts() -> None:
    """A message that went out stays sent, whatever failed afterwards."""
    request = CurrentRequest(Decision(make_attempt(PHONE)))
    seen: list[SendOutcome | None] = [request.outcome]
    for outcome in ("not_sent", "unknown", "not_sent", "sent", "unknown"):
        request.came_to(outcome)
        seen.append(request.outcome)
    assert seen == [None, "not_sent", "unknown", "unknown", "sent", "sent"]


def test_a_shadow_comes_to_what_the_app_sees() -> None:
    """To the app its message went out; that nothing was sent is known to the decision."""
    request = CurrentRequest(Decision(make_attempt(PHONE), Action.SHADOW), simulated=True)
    token = current_request.set(request)
    sender(str)(PHONE)
    current_request.reset(token)
    assert (request.calls, request.outcome) == (1, "sent")
