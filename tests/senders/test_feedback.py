"""Whoever verified is told to the providers that learn from it, behind the reply, and lossily."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import boto3
import pytest
from botocore.config import Config

from pumpguard import Guard, Policy, PolicyError, StoreError, sender
from pumpguard.listeners import Became
from pumpguard.senders import EndUserMessaging, Plivo, Twilio, Vonage
from pumpguard.senders import feedback as module
from pumpguard.senders.base import OnSent
from pumpguard.senders.feedback import BATCH, MOST, Feedback, News, PreludeFeedback
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import FakeClock, make_attempt
from tests.senders.provider import Provider

PHONE, OTHER = "+447400123456", "+4915112345678"
SID = "SM" + "1" * 32


class Ear:
    """A provider that keeps what it hears."""

    feedback = True

    def __init__(self, hears_of: str = "", taken: int | None = None) -> None:
        self.hears_of, self._taken = hears_of, taken
        self.heard: list[list[News]] = []
        self.rang = asyncio.Event()

    def tell(self, sent: OnSent) -> None:
        """It sends nothing."""

    async def inform(self, news: Sequence[News]) -> int:
        self.heard.append(list(news))
        self.rang.set()
        return len(news) if self._taken is None else self._taken


class Deaf(Ear):
    """One that answers with errors, or not at all."""

    def __init__(self, error: Exception | None) -> None:
        super().__init__()
        self._error = error

    async def inform(self, news: Sequence[News]) -> int:
        if self._error is None:
            await asyncio.Future()
        raise self._error or AssertionError


@pytest.fixture
async def guard() -> AsyncIterator[Guard]:
    """One that hears of verifications; its time stands still."""
    async with Guard(Policy(send="/s", settled=True), clock=FakeClock()) as guard:
        yield guard


async def send(guard: Guard, phone: str, feedback: Feedback, **ids: str) -> None:
    """Messages go out by these providers."""
    decision = await guard.assess(make_attempt(phone, at=guard.overrides.now(), price=0.05))
    assert decision.allowed
    for provider, id in ids.items():
        feedback.sent(provider, id, decision)


async def test_the_whole_way(guard: Guard) -> None:
    """Twilio is asked to expect it, and is told of the message whose code was entered, and of no
    other; the app's reply waits for nothing."""
    async with Provider(201, {"sid": SID}) as provider:
        heard: list[str] = []
        twilio = Twilio(
            "AC1", "tok", from_="+15005550006", feedback=True, base=provider.origin,
            sent=lambda _, id, __: heard.append(id),
        )  # fmt: skip
        feedback = Feedback(guard, twilio)
        sending = sender(twilio)
        for phone in (OTHER, PHONE):
            await guard.assess(make_attempt(phone, at=guard.overrides.now(), price=0.05))
            await sending(phone, "hello")
        guard.verified(PHONE)
        await guard.settled()
        assert len(provider.lines) == 2
        await feedback.done()
        await twilio.aclose()
    assert heard == [SID, SID]
    assert provider.bodies[0] == {"From": "+15005550006", "To": OTHER, "Body": "hello",
                                  "ProvideFeedback": "true"}  # fmt: skip
    assert provider.lines[2:] == [
        f"POST /2010-04-01/Accounts/AC1/Messages/{SID}/Feedback.json HTTP/1.1"
    ]
    assert provider.bodies[2] == {"Outcome": "confirmed"}
    assert (feedback.told, feedback.dropped) == (1, 0)


async def test_vonage_is_told_of_conversions() -> None:
    """By the id of the message."""
    async with Provider(200, b"") as provider:
        vonage = Vonage("key", "secret", from_="Shop", feedback=True, base=provider.origin)
        assert await vonage.inform([News(PHONE, True, "vonage", "a b"), News(PHONE, True)]) == 2
        await vonage.aclose()
    assert sorted(provider.lines) == [
        "POST /conversions/sms?message-id=&delivered=true HTTP/1.1",
        "POST /conversions/sms?message-id=a+b&delivered=true HTTP/1.1",
    ]


async def test_aws_is_told_what_was_received() -> None:
    """One by one, as it has it; what it does not take is not taken."""
    async with Provider(200, {"MessageId": "m-1", "MessageFeedbackStatus": "RECEIVED"}) as provider:
        client = boto3.client(
            "pinpoint-sms-voice-v2", region_name="eu-west-1", aws_access_key_id="x",
            aws_secret_access_key="y", endpoint_url=provider.origin,
            config=Config(retries={"total_max_attempts": 1}),
        )  # fmt: skip
        aws = EndUserMessaging(client, from_="pool-1", feedback=True)
        assert await aws.inform([News(PHONE, True, "aws", "m-1")]) == 1
        provider.status = 400
        assert await aws.inform([News(PHONE, True, "aws", "m-1")]) == 0
    assert provider.headers[0]["x-amz-target"] == "PinpointSMSVoiceV2.PutMessageFeedback"
    assert provider.bodies[0] == {"MessageId": "m-1", "MessageFeedbackStatus": "RECEIVED"}


async def test_prelude_hears_of_all_in_one_request(guard: Guard) -> None:
    """Who was sent a code, and who entered it, whoever carried it."""
    async with Provider(200, {"status": "success", "request_id": "r"}) as provider:
        prelude = PreludeFeedback("key", base=provider.origin)
        feedback = Feedback(guard, prelude)
        await send(guard, PHONE, feedback, sinch="1")
        await send(guard, OTHER, feedback, plivo="2")
        guard.listeners.outcome(Became(make_attempt(PHONE).phone, "verified", 0.0))
        await feedback.done()
        await prelude.aclose()
    assert provider.lines == ["POST /v2/watch/feedback HTTP/1.1"]
    assert provider.headers[0]["authorization"] == "Bearer key"
    target = {"type": "phone_number", "value": PHONE}
    assert provider.bodies == [{"feedbacks": [
        {"target": target, "type": "verification.started"},
        {"target": {**target, "value": OTHER}, "type": "verification.started"},
        {"target": target, "type": "verification.completed"},
    ]}]  # fmt: skip
    assert feedback.told == 3


async def test_each_hears_of_its_own_messages(guard: Guard) -> None:
    """The newest to a number; of what is known of no message, or was not sent, nobody hears."""
    sinch, plivo = Ear("sinch"), Ear("plivo")
    feedback = Feedback(guard, sinch, plivo)
    await send(guard, PHONE, feedback, plivo="1", sinch="2")
    feedback.sent("sinch", "3", None)
    for phone, outcome, messages in ((PHONE, "verified", 1), (OTHER, "verified", 1),
                                     (PHONE, "verified", 0), (PHONE, "failed", 1)):  # fmt: skip
        became: Any = Became(make_attempt(phone).phone, outcome, 0.0, messages)  # type: ignore[arg-type]
        guard.listeners.outcome(became)
    await feedback.done()
    assert sinch.heard == [[News(PHONE, True, "sinch", "2")]]
    assert plivo.heard == []


@pytest.mark.parametrize("error", [RuntimeError("no"), None], ids=["an error", "silence"])
async def test_a_provider_that_does_not_listen(
    guard: Guard, error: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits for it for ever, nothing is told twice, and the others hear all the same."""
    monkeypatch.setattr(module, "DEADLINE", 0.01)
    ear = Ear()
    feedback = Feedback(guard, Deaf(error), ear)
    await send(guard, PHONE, feedback, sinch="1")
    await feedback.done()
    await feedback.done()
    assert ear.heard == [[News(PHONE, False, "sinch", "1")]]
    assert (feedback.told, feedback.dropped) == (1, 1)


async def test_of_too_many_the_oldest_are_lost(guard: Guard) -> None:
    """And the others are told many at a time."""
    ear = Ear()
    feedback = Feedback(guard, ear)
    phone = make_attempt(PHONE).phone
    for _ in range(MOST + 2):
        guard.listeners.outcome(Became(phone, "verified", 0.0))
    await feedback.done()
    assert [len(each) for each in ear.heard] == [BATCH] * (MOST // BATCH)
    assert (feedback.told, feedback.dropped) == (MOST, 2)


class Away(MemoryStore):
    """Takes no notes."""

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        raise StoreError("away")


async def test_without_a_store_it_is_lost() -> None:
    """As everything here may be."""
    async with Guard(Policy(send="/s", settled=True), Away(), clock=FakeClock()) as guard:
        ear = Ear()
        feedback = Feedback(guard, ear)
        await send(guard, PHONE, feedback, sinch="1")
        await feedback.done()
    assert (ear.heard, feedback.dropped) == ([], 1)


async def test_it_tells_by_itself_and_what_is_left_at_the_end(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second after the first news; a guard that closes tells the rest."""
    monkeypatch.setattr(module, "EVERY", 0.001)
    ear = Ear()
    feedback = Feedback(guard, ear)
    phone = make_attempt(PHONE).phone
    for _ in range(2):
        guard.listeners.outcome(Became(phone, "verified", 0.0))
    await ear.rang.wait()
    assert [len(each) for each in ear.heard] == [2]
    monkeypatch.setattr(module, "EVERY", 60.0)
    guard.listeners.outcome(Became(phone, "verified", 0.0))
    await guard.aclose()
    assert len(ear.heard) == 2
    assert feedback.told == 3


def test_news_from_where_no_loop_runs() -> None:
    """It is told with the next news."""
    guard, ear = Guard(Policy(send="/s", settled=True), clock=FakeClock()), Ear()
    feedback = Feedback(guard, ear)
    guard.listeners.outcome(Became(make_attempt(PHONE).phone, "verified", 0.0))
    asyncio.run(feedback.done())
    assert feedback.told == 1


def test_a_sender_has_to_expect_it(guard: Guard) -> None:
    """Most providers have nothing to be told; the others only of what was sent for it."""
    for provider in (Plivo("MA1", "t", from_="1"), Twilio("AC1", "t", from_="+15005550006")):
        with pytest.raises(PolicyError) as raised:
            Feedback(guard, Ear(), provider)  # type: ignore[arg-type]
        assert raised.value.path == "feedback.1"
