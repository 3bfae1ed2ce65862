"""Receipts: what a provider reports reaches the guard, once; what it has not reported does not."""

from __future__ import annotations

import json
import sys
from typing import Any, cast

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from pumpguard import Guard, Policy, PolicyError
from pumpguard.background import MAX_TASKS
from pumpguard.receipts import Receipts
from pumpguard.receipts.aws import SnsTopics
from tests.asgi import Reply, call, request, scripted
from tests.receipts.app import SNS, TWILIO, VONAGE, App, each, strongest
from tests.receipts.signing import OTHER, TOKEN, TOPIC, URL, Provider, Sent

PROOFS = ("signature", "authorization", "v2", "9", "jwt")
"""How the names of the headers end that prove something."""


@each
@pytest.mark.parametrize(
    "word", ["delivered", "undelivered", "failed", "unallocated", "on its way"]
)
async def test_what_a_receipt_means(app: App, provider: Provider, word: str) -> None:
    """What the provider has not sent is given back; what it has sent and billed is not. Listeners
    hear it, with the carrier where the receipt names one."""
    if word not in provider.words:
        return
    await app.send(provider)
    app.clock.advance(7)
    await app.told(provider, word)
    assert await app.allows() is (word == "failed")
    assert app.heard.words == ([] if word == "on its way" else [word])
    for heard in app.heard.reported_:
        assert (heard.provider, heard.carrier) == (
            provider.sender or provider.name, provider.carrier,
        )  # fmt: skip
        assert heard.seconds == (7.0 if word == "delivered" else None)


@each
async def test_what_is_about_nobodys_message_moves_nothing(app: App, provider: Provider) -> None:
    """Signed, and of another app of the account's; it is counted as foreign."""
    await app.send(provider)
    await app.told(provider, strongest(provider), id="SM2")
    assert not await app.allows()
    assert app.heard.words == []
    found = next(iter(app.receipts.snapshot().values()))
    assert found == {"unknown": {"foreign": 1}}


@each
@pytest.mark.parametrize("forgery", ["key", "body", "missing", "twice", "garbage", "old"])
async def test_a_forged_receipt_moves_nothing(app: App, provider: Provider, forgery: str) -> None:
    """Whatever of it is wrong. (Plivo signs no body, Infobip nothing; those two and Twilio sign no
    time.)"""
    await app.send(provider)
    key = OTHER if forgery == "key" else TOKEN
    late = app.clock() - (90_000 if forgery == "old" else 0)
    body, headers, query = provider.report("SM1", strongest(provider), late, key=key)
    proof = next((n for n in headers if n.endswith(PROOFS)), "")
    lines = list(headers.items())
    match forgery:
        case "body" if provider.method == "GET":
            query = query.replace("SM1", "SM2")
        case "body" if provider.name not in ("plivo", "infobip"):
            body = body.replace(b"SM1", b"SM2") + b" "
        case "missing" if provider.name == "infobip":
            query = ""
        case "missing" if proof:
            lines = [each for each in lines if each[0] != proof]
        case "twice" if proof:
            lines.append((proof, headers[proof]))
        case "twice" if provider.name == "infobip":
            query += f"&{query}"
        case "garbage" if proof:
            lines = [(n, "é.é.é" if n == proof else v) for n, v in lines]
        case "garbage" if provider.name == "infobip":
            query = "key=%ff"
        case "key":
            pass
        case "old" if provider.name not in ("twilio", "twilio_verify", "plivo", "infobip"):
            pass
        case _:
            return
    scope = request(
        provider.method, f"/{provider.name}", content_type=None, headers=lines, query=query
    )
    assert (await call(app.receipts, scope, body)).status in (400, 401)
    await app.settled()
    assert not await app.allows()
    assert app.receipts.snapshot() == {}
    assert app.heard.words == []


@each
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"Type": 1}', b"a=1&a=2", b"\xff"])
async def test_garbage_is_refused(app: App, provider: Provider, body: bytes) -> None:
    """And nothing of it is repeated."""
    sent = provider.report("SM1", strongest(provider), app.clock())
    reply = await app.post(provider, sent._replace(body=body))
    # Plivo signs its address alone, and MessageBird has no body: where it says nothing, it is
    # nothing.
    nothing = provider.name == "plivo" or (provider.name == "messagebird" and not body)
    assert reply.status in ((204, 400) if nothing else (400, 401, 422))


async def test_a_token_that_signs_nothing(app: App) -> None:
    """``alg: none``, and a payload that was signed for another body."""
    import base64

    vonage = VONAGE
    body, headers, _ = vonage.report("SM1", "failed", app.clock())
    head, claims, signature = headers["authorization"].removeprefix("Bearer ").split(".")
    none = base64.urlsafe_b64encode(b'{"alg": "none"}').decode().rstrip("=")
    for token in (f"{none}.{claims}.", f"{none}.{claims}.{signature}", f"{head}.{claims}", "..."):
        wrong = {**headers, "authorization": f"Bearer {token}"}
        assert (await app.post(vonage, Sent(body, wrong))).status == 401


async def test_a_topic_is_subscribed_to(app: App) -> None:
    """Only those that are named, by addresses of AWS alone."""
    sns = SNS
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
    await app.send(TWILIO)
    app.clock.advance(12)
    await app.told(TWILIO, "delivered")
    assert app.receipts.snapshot() == {
        "twilio": {"GB": {"delivered": 1, "seconds_to_delivery": 12.0}}
    }


async def test_mounted_in_an_app(app: App) -> None:
    """As the page shows it."""
    whole = Starlette(routes=[Mount("/receipts", app.receipts)])
    await app.send(TWILIO)
    body, headers, _ = TWILIO.report("SM1", "failed", app.clock())
    scope = request("POST", "/receipts/twilio", content_type=None, headers=headers)
    assert (await call(whole, scope, body)).status == 204
    await app.settled()
    assert await app.allows()


async def test_paths(app: App) -> None:
    """One for each provider that was named, and no other."""
    assert app.receipts.callback("twilio") == f"{URL}/twilio"
    with pytest.raises(PolicyError):
        app.receipts.callback("fax")
    assert (await call(app.receipts, request("POST", "/fax"))).status == 404
    assert (await call(app.receipts, request("GET", "/twilio"))).status == 405


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({}, "receipts"),
        ({"twilio": "short"}, "receipts.twilio"),
        ({"telnyx": "no key"}, "receipts.telnyx"),
        ({"sns": ["topic"]}, "receipts.sns.0"),
        ({"twilio_verify": "short"}, "receipts.twilio_verify"),
        ({"infobip": "short"}, "receipts.infobip"),
        ({"sinch": "short"}, "receipts.sinch"),
        ({"bird": "short"}, "receipts.bird"),
        ({"messagebird": "short"}, "receipts.messagebird"),
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


async def test_a_provider_that_hangs_up(app: App) -> None:
    """Nobody is there to be answered."""
    reply = Reply()
    scope = request("POST", "/twilio", content_type=None, headers={"content-length": "9"})
    await app.receipts(scope, scripted({"type": "http.disconnect"}), reply.send)
    assert reply.messages == []
    assert app.receipts.providers[0] == "twilio"


async def test_too_many_wait_for_their_messages(app: App) -> None:
    """The provider is asked to come again, and nothing is lost of what waits."""
    app.receipts._tasks._tasks = cast(Any, range(MAX_TASKS))
    assert (await app.post(TWILIO, TWILIO.report("SM9", "failed", app.clock()))).status == 503
    app.receipts._tasks._tasks = set()
