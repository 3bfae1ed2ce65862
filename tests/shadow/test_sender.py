"""The last gate: a wrapped sender stays silent under a shadow and is itself everywhere else."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pumpguard import Action, Decision, Guard, Policy, current_decision, sender
from pumpguard.errors import MessageNotSent, PolicyError
from pumpguard.shadow.current import CurrentRequest, current_request
from pumpguard.shadow.latency import ENOUGH, LatencyModel
from pumpguard.testing import make_attempt
from tests.conftest import PATIENT


@contextmanager
def deciding(action: Action, *, simulated: bool = True) -> Iterator[Decision]:
    """As inside of a request that was decided about; a simulation waits for nothing."""
    decision = Decision(make_attempt(), action)
    token = current_request.set(CurrentRequest(decision, simulated))
    try:
        yield decision
    finally:
        current_request.reset(token)


def send(phone: str, *, text: str = "") -> str:
    """Sends."""
    return f"sent {phone}{text}"


async def send_later(phone: str, *, text: str = "") -> str:
    return f"sent {phone}{text}"


class Provider:
    """A client of a provider's, as objects come: with methods, or called themselves."""

    async def send(self, phone: str) -> str:
        return f"sent {phone}"

    async def __call__(self, phone: str) -> str:
        return f"sent {phone}"


ASYNCHRONOUS: dict[str, Any] = {
    "function": send_later,
    "method": Provider().send,
    "object": Provider(),
    "partial": functools.partial(send_later, text=""),
}


def test_outside_of_a_request_a_wrapped_sender_sends() -> None:
    """Such as a reminder from a task queue: no decision, no gate."""
    assert current_decision() is None
    assert sender(send)("+1") == "sent +1"


def test_arguments_pass_through() -> None:
    with deciding(Action.ALLOW):
        assert sender(send)(phone="+1", text="!") == "sent +1!"


@pytest.mark.parametrize("kind", ASYNCHRONOUS)
async def test_asynchronous_senders_stay_asynchronous(kind: str) -> None:
    wrapped = sender(ASYNCHRONOUS[kind], shadowed="id-0")
    with deciding(Action.ALLOW):
        assert await wrapped("+1") == "sent +1"
    with deciding(Action.SHADOW):
        assert await wrapped("+1") == "id-0"


def test_the_wrapper_looks_like_what_it_wraps() -> None:
    wrapped = sender(send)
    assert (wrapped.__name__, wrapped.__doc__) == ("send", "Sends.")
    assert inspect.signature(wrapped) == inspect.signature(send)
    assert inspect.iscoroutinefunction(sender(send_later))


async def test_it_is_a_decorator_too() -> None:
    """Where the function is defined, plain or asynchronous."""
    sent: list[str] = []

    @sender
    def text(phone: str) -> None:
        sent.append(phone)

    @sender
    async def text_later(phone: str) -> None:
        sent.append(phone)

    for action in (Action.SHADOW, Action.ALLOW):
        with deciding(action):
            text("+1")
            await text_later("+2")
    assert sent == ["+1", "+2"]


def test_under_a_shadow_nothing_is_sent_and_the_caller_gets_what_was_agreed() -> None:
    sent: list[str] = []
    with deciding(Action.SHADOW):
        assert sender(sent.append)("+1") is None
        assert sender(send, shadowed="id-0")("+1") == "id-0"
        assert sender(send, shadowed=lambda phone, text="": f"id of {phone}")("+1") == "id of +1"
    assert sent == []


async def test_what_a_shadow_gives_may_be_made_asynchronously() -> None:
    async def shadowed(phone: str) -> str:
        return f"id of {phone}"

    with deciding(Action.SHADOW):
        assert await sender(send_later, shadowed)("+1") == "id of +1"


@pytest.mark.parametrize("action", [Action.CHALLENGE, Action.THROTTLE, Action.BLOCK])
async def test_a_refused_request_cannot_send_at_all(action: Action) -> None:
    """It never reaches the app; should it, by some mistake, this is the last gate."""
    with deciding(action):
        with pytest.raises(MessageNotSent, match=str(action)):
            sender(send)("+1")
        with pytest.raises(MessageNotSent):
            await sender(send_later)("+1")


def test_the_senders_own_errors_are_the_callers() -> None:
    def broken(phone: str) -> None:
        raise ConnectionError(phone)

    with deciding(Action.ALLOW), pytest.raises(ConnectionError):
        sender(broken)("+1")


async def test_a_guard_wraps_senders_too() -> None:
    wrapped = Guard(Policy(send="/otp/send")).sender(send, "id-0")
    with deciding(Action.SHADOW):
        assert wrapped("+1") == "id-0"


async def test_a_decision_reaches_the_tasks_and_threads_of_its_request() -> None:
    wrapped = sender(send, "id-0")
    with deciding(Action.SHADOW) as decision:
        assert await asyncio.to_thread(wrapped, "+1") == "id-0"
        task = asyncio.create_task(sender(send_later, "id-0")("+1"))
        assert current_decision() is decision
    assert current_decision() is None
    assert await task == "id-0"


async def test_decisions_of_parallel_requests_do_not_mix() -> None:
    async def one(action: Action) -> str:
        with deciding(action):
            await asyncio.sleep(0)
            return sender(send, "id-0")("+1")

    allowed, shadowed = await asyncio.gather(one(Action.ALLOW), one(Action.SHADOW))
    assert (allowed, shadowed) == ("sent +1", "id-0")


# As long as real sends take


def quick(seconds: float = 0.03) -> LatencyModel:
    """A sender whose real sends take that long, give or take a hundredth."""
    return LatencyModel((seconds, 0.01))


def test_a_shadow_takes_its_time_in_the_thread_that_sends() -> None:
    begun = time.perf_counter()
    with deciding(Action.SHADOW, simulated=False):
        assert sender(send, "id-0", latency=quick())("+1") == "id-0"
    assert time.perf_counter() - begun > 0.025


async def test_an_asynchronous_one_lets_others_go_on_meanwhile() -> None:
    """A hundred of them at once, which would take fifty seconds one after the other."""
    wrapped = sender(send_later, "id-0", latency=quick(0.5))
    begun = time.perf_counter()
    with deciding(Action.SHADOW, simulated=False):
        async with asyncio.timeout(PATIENT):
            assert await asyncio.gather(*(wrapped("+1") for _ in range(100))) == ["id-0"] * 100
    assert time.perf_counter() - begun > 0.4


async def test_what_is_made_asynchronously_is_made_within_that_time() -> None:
    async def shadowed(phone: str) -> str:
        await asyncio.sleep(0.2)
        return f"id of {phone}"

    wrapped = sender(send_later, shadowed, latency=quick(0.01))
    with deciding(Action.SHADOW, simulated=False):
        assert await wrapped("+1") == "id of +1"


@pytest.mark.parametrize("kind", ["plain", "asynchronous"])
async def test_real_sends_teach_how_long_shadows_take(kind: str) -> None:
    """Twenty sends of 20 ms, and the assumption of a minute is forgotten."""

    def slow(phone: str) -> str:
        time.sleep(0.02)
        return phone

    async def slow_too(phone: str) -> str:
        await asyncio.sleep(0.02)
        return phone

    latency = LatencyModel((60.0, 0.01))
    wrapped: Any = sender(slow if kind == "plain" else slow_too, "id-0", latency=latency)
    for action in [Action.ALLOW] * 20 + [Action.SHADOW]:
        begun = time.perf_counter()
        with deciding(action, simulated=False):
            answer = wrapped("+1")
            assert (await answer if kind == "asynchronous" else answer) is not None
    assert 0.01 < time.perf_counter() - begun < 10


class RefusedNumber(ValueError):
    """What a provider says of a number, and of no other."""


def outage(error: Exception, **options: Any) -> Any:
    """A sender that has failed often enough to be known for it."""

    def broken(phone: str) -> str:
        raise error

    wrapped = sender(broken, "id-0", latency=quick(), **options)
    for _ in range(ENOUGH):
        with deciding(Action.ALLOW), pytest.raises(type(error)):
            wrapped("+447400123456")
    return wrapped


def test_while_the_provider_is_away_it_is_away_for_shadows_too() -> None:
    """Or an attacker would be the only one whose messages go out."""
    wrapped = outage(ConnectionError("for +447400123456"))
    with deciding(Action.SHADOW), pytest.raises(ConnectionError, match=r"^$"):
        wrapped("+1")


def test_what_a_provider_says_of_one_number_is_said_of_no_other() -> None:
    wrapped = outage(RefusedNumber("+447400123456"))
    with deciding(Action.SHADOW):
        assert wrapped("+1") == "id-0"


def test_an_app_names_the_errors_that_are_about_its_provider() -> None:
    wrapped = outage(RefusedNumber("+447400123456"), failures=(RefusedNumber,))
    with deciding(Action.SHADOW), pytest.raises(RefusedNumber, match=r"^$"):
        wrapped("+1")


async def test_a_plain_function_around_an_async_one_is_awaited() -> None:
    """A lambda, or a decorator that forgets what it decorates: what it comes to is still seen."""
    seen: list[str] = []

    async def send(phone: str) -> str:
        seen.append(phone)
        return "SM1"

    def plain(phone: str) -> Any:
        return send(phone)

    wrapped = sender(plain)
    for _ in range(2):
        assert await wrapped("+447400123456") == "SM1"
    assert len(seen) == 2


@pytest.mark.parametrize("wrong", ["SM1", sender(print)])
def test_what_is_no_function_or_wrapped_already_is_refused(wrong: Any) -> None:
    """Each message would count twice."""
    with pytest.raises(PolicyError, match="send: expected"):
        sender(wrong)
