"""Receipts: what a provider reports reaches the guard, once; what it has not reported does not."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from pumpguard import Decision, Guard, Policy, PolicyError
from pumpguard.receipts import Receipts
from pumpguard.receipts.aws import SnsTopics
from pumpguard.rules import RateLimit
from pumpguard.store.base import Store
from pumpguard.store.memory import MemoryStore
from pumpguard.store.redis import RedisStore
from pumpguard.testing import FakeClock
from tests.asgi import Reply, call, request
from tests.receipts.signing import (
    OTHER,
    TOKEN,
    TOPIC,
    URL,
    ByPlivo,
    BySns,
    ByTelnyx,
    ByTwilio,
    ByVonage,
    Provider,
    Sent,
)

PHONE = "+447400123456"
PROVIDERS = [ByTwilio(), ByPlivo(), ByVonage(), ByTelnyx(), BySns()]
each = pytest.mark.parametrize("provider", PROVIDERS, ids=[each.name for each in PROVIDERS])


class App:
    """A guard that lets a number have one message an hour, and its receipts."""

    def __init__(self, store: Store, clock: FakeClock, pauses: tuple[float, ...] = ()) -> None:
        self.clock = clock
        limit = RateLimit(name="phone_limit", by="phone", limits="1/hour")
        self.guard = Guard(Policy(send="/s", settled=True, rules=[limit]), store, clock=clock)
        telnyx, sns = PROVIDERS[3], PROVIDERS[4]
        assert isinstance(telnyx, ByTelnyx)
        assert isinstance(sns, BySns)
        self.receipts = Receipts(
            self.guard, url=URL, twilio=TOKEN, plivo=TOKEN, vonage=TOKEN, telnyx=telnyx.public,
            sns=[TOPIC], clock=clock, pauses=pauses,
        )  # fmt: skip
        self.receipts._readers["sns"] = SnsTopics([TOPIC], sns.fetch)

    async def send(self, provider: Provider, id: str = "SM1") -> Decision:
        """A message goes out."""
        decision = await self.guard.assess(self.guard.attempt(PHONE))
        self.receipts.sent("aws" if provider.name == "sns" else provider.name, id, decision)
        return decision

    async def post(self, provider: Provider, sent: Sent) -> Reply:
        scope = request("POST", f"/{provider.name}", content_type=None, headers=sent[1])
        return await call(self.receipts, scope, sent[0])

    async def told(self, provider: Provider, word: str, id: str = "SM1") -> None:
        """The provider says this of that message, and it is taken."""
        reply = await self.post(provider, provider.report(id, word, self.clock()))
        assert reply.status == 204
        await self.settled()

    async def settled(self) -> None:
        await self.receipts.done()
        await self.guard.settled()

    async def allows(self) -> bool:
        """Whether the number may have a message now."""
        return (await self.guard.decide(self.guard.attempt(PHONE))).allowed


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def app(clock: FakeClock) -> AsyncIterator[App]:
    """One over memory."""
    app = App(MemoryStore(), clock)
    yield app
    await app.settled()
    await app.guard.aclose()


@each
@pytest.mark.parametrize(
    "word", ["delivered", "undelivered", "failed", "unallocated", "on its way"]
)
async def test_what_a_receipt_means(app: App, provider: Provider, word: str) -> None:
    """What the provider has not sent is given back; what it has sent and billed is not."""
    if word not in provider.words:
        return
    await app.send(provider)
    await app.told(provider, word)
    assert await app.allows() is (word == "failed")


@each
async def test_twice_is_once(app: App, provider: Provider) -> None:
    """The same receipt again gives nothing back a second time."""
    await app.send(provider)
    sent = provider.report("SM1", "failed", app.clock())
    for _ in range(3):
        await app.post(provider, sent)
        await app.settled()
    assert await app.allows()  # which takes it
    await app.post(provider, sent)
    await app.settled()
    assert not await app.allows()


@each
async def test_a_receipt_may_be_faster_than_the_answer(
    clock: FakeClock, provider: Provider
) -> None:
    """It is kept until the sender says whose message it is."""
    app = App(MemoryStore(), clock, pauses=(30.0,))
    decision = await app.guard.assess(app.guard.attempt(PHONE))
    reply = await app.post(provider, provider.report("SM1", "failed", clock()))
    assert reply.status == 204
    await asyncio.sleep(0.01)
    assert not await app.allows()
    app.receipts.sent("aws" if provider.name == "sns" else provider.name, "SM1", decision)
    await app.settled()
    assert await app.allows()
    await app.guard.aclose()


async def test_another_process_takes_it(clock: FakeClock, valkey_url: str, name: str) -> None:
    """What was sent here is known there: the ticket lies in the store, sealed."""
    here, there = (App(RedisStore(valkey_url, name=name), clock) for _ in range(2))
    await here.send(PROVIDERS[0])
    await here.settled()
    await there.told(PROVIDERS[0], "failed")
    assert await here.allows()
    for app in (here, there):
        await app.guard.aclose()


@pytest.mark.parametrize(("age", "given_back"), [(3_600, True), (86_401, False)])
async def test_an_old_receipt(app: App, age: int, given_back: bool) -> None:
    """An hour later it counts as at once; after a day (``outcomes.seconds``) the ticket has closed,
    and it changes nothing."""
    limit = RateLimit(name="phone_limit", by="phone", limits="1/90 hours")
    app.guard = Guard(Policy(send="/s", settled=True, rules=[limit]), clock=app.clock)
    app.receipts = Receipts(app.guard, url=URL, twilio=TOKEN, clock=app.clock, pauses=())
    await app.send(PROVIDERS[0])
    app.clock.advance(age)
    await app.told(PROVIDERS[0], "failed")
    assert await app.allows() is given_back


@each
async def test_what_is_about_nobodys_message_moves_nothing(app: App, provider: Provider) -> None:
    """Signed, and of another app of the account's; it is counted as foreign."""
    await app.send(provider)
    await app.told(provider, "failed", id="SM2")
    assert not await app.allows()
    found = next(iter(app.receipts.snapshot().values()))
    assert found == {"unknown": {"foreign": 1}}


@each
@pytest.mark.parametrize("forgery", ["key", "body", "missing", "twice", "garbage", "old"])
async def test_a_forged_receipt_moves_nothing(app: App, provider: Provider, forgery: str) -> None:
    """Whatever of it is wrong. (Plivo signs no body, nor a time; Twilio no time.)"""
    await app.send(provider)
    key = OTHER if forgery == "key" else TOKEN
    late = app.clock() - (90_000 if forgery == "old" else 0)
    body, headers = provider.report("SM1", "failed", late, key=key)
    proof = next((n for n in headers if n.endswith(("signature", "authorization", "v2", "9"))), "")
    lines = list(headers.items())
    match forgery:
        case "body" if provider.name != "plivo":
            body = body.replace(b"SM1", b"SM2") + b" "
        case "missing" if proof:
            lines = [each for each in lines if each[0] != proof]
        case "twice" if proof:
            lines.append((proof, headers[proof]))
        case "garbage" if proof:
            lines = [(n, "é.é.é" if n == proof else v) for n, v in lines]
        case "old" | "key" if provider.name not in ("twilio", "plivo") or forgery == "key":
            pass
        case _:
            return
    scope = request("POST", f"/{provider.name}", content_type=None, headers=lines)
    assert (await call(app.receipts, scope, body)).status in (400, 401)
    await app.settled()
    assert not await app.allows()
    assert app.receipts.snapshot() == {}


@each
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"Type": 1}', b"a=1&a=2", b"\xff"])
async def test_garbage_is_refused(app: App, provider: Provider, body: bytes) -> None:
    """And nothing of it is repeated."""
    _, headers = provider.report("SM1", "failed", app.clock())
    reply = await app.post(provider, (body, headers))
    # Plivo signs its address alone: what it says in a body that says nothing is nothing.
    assert reply.status in ((204, 400) if provider.name == "plivo" else (400, 401, 422))


async def test_a_token_that_signs_nothing(app: App) -> None:
    """``alg: none``, and a payload that was signed for another body."""
    import base64

    vonage = PROVIDERS[2]
    body, headers = vonage.report("SM1", "failed", app.clock())
    head, claims, signature = headers["authorization"].removeprefix("Bearer ").split(".")
    none = base64.urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("=")
    for token in (f"{none}.{claims}.", f"{none}.{claims}.{signature}", f"{head}.{claims}", "..."):
        wrong = {**headers, "authorization": f"Bearer {token}"}
        assert (await app.post(vonage, (body, wrong))).status == 401


async def test_a_topic_is_subscribed_to(app: App) -> None:
    """Only those that are named, by addresses of AWS alone."""
    sns = PROVIDERS[4]
    assert isinstance(sns, BySns)
    sns.fetched.clear()
    confirm = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    said = {"Type": "SubscriptionConfirmation", "Token": "t", "SubscribeURL": confirm}
    assert (await app.post(sns, sns.notify("You", app.clock(), **said))).status == 204
    assert sns.fetched == ["https://sns.eu-west-1.amazonaws.com/cert.pem", confirm]
    old = sns.notify("{}", app.clock(), SignatureVersion="1")
    assert (await app.post(sns, old)).status == 204
    for wrong in (
        {"TopicArn": "arn:aws:sns:eu-west-1:999999999999:theirs"},
        {"SigningCertURL": "https://sns.eu-west-1.amazonaws.com.evil.example/cert.pem"},
        {"SigningCertURL": "http://sns.eu-west-1.amazonaws.com/cert.pem"},
        {"SigningCertURL": "https://evil.example/sns.eu-west-1.amazonaws.com/"},
        {**said, "SubscribeURL": "https://evil.example/"},
        {"Type": "UnsubscribeConfirmation"},
        {"Timestamp": "yesterday"},
    ):
        reply = await app.post(sns, sns.notify("{}", app.clock(), **wrong))
        assert reply.status in (401, 422)
    assert len(sns.fetched) == 2


async def test_what_was_delivered_and_how_soon(app: App) -> None:
    """By provider and country."""
    await app.send(PROVIDERS[0])
    app.clock.advance(12)
    await app.told(PROVIDERS[0], "delivered")
    assert app.receipts.snapshot() == {
        "twilio": {"GB": {"delivered": 1, "seconds_to_delivery": 12.0}}
    }


async def test_mounted_in_an_app(app: App) -> None:
    """As the page shows it."""
    whole = Starlette(routes=[Mount("/receipts", app.receipts)])
    await app.send(PROVIDERS[0])
    body, headers = PROVIDERS[0].report("SM1", "failed", app.clock())
    scope = request("POST", "/receipts/twilio", content_type=None, headers=headers)
    assert (await call(whole, scope, body)).status == 204
    await app.settled()
    assert await app.allows()


async def test_paths(app: App) -> None:
    """One for each provider that was named, and no other."""
    assert app.receipts.callback("twilio") == f"{URL}/twilio"
    with pytest.raises(PolicyError):
        app.receipts.callback("sinch")
    assert (await call(app.receipts, request("POST", "/sinch"))).status == 404
    assert (await call(app.receipts, request("GET", "/twilio"))).status == 405


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({}, "receipts"),
        ({"twilio": "short"}, "receipts.twilio"),
        ({"telnyx": "no key"}, "receipts.telnyx"),
        ({"sns": ["topic"]}, "receipts.sns.0"),
        ({"twilio": TOKEN, "url": "http://app.example"}, "receipts.url"),
    ],
)
def test_mistakes_are_named(settings: dict[str, object], path: str) -> None:
    """Without the secret."""
    guard = Guard(Policy(send="/s", rules=[]))
    with pytest.raises(PolicyError) as raised:
        Receipts(guard, **{"url": URL, **settings})  # type: ignore[arg-type]
    assert raised.value.path == path
    assert "short" not in str(raised.value)


def test_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where cryptography is missing."""
    monkeypatch.setitem(sys.modules, "cryptography.x509", None)
    with pytest.raises(ModuleNotFoundError) as raised:
        SnsTopics([TOPIC])
    assert "pumpguard[receipts]" in json.dumps(raised.value.__notes__)
