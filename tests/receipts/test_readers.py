"""What each provider may say besides, and how those prove themselves that sign nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pumpguard import IntakeError, senders
from pumpguard.external import Unavailable
from pumpguard.receipts import KINDS
from pumpguard.receipts.aws import SnsTopics, _Web
from pumpguard.receipts.base import LONGEST_CARRIER, Reader, Shared, claims_of, when
from pumpguard.receipts.telnyx import Telnyx
from tests.receipts.app import PROVIDERS, SNS, App
from tests.receipts.keyed import ByBird, ByInfobip, ByMessageBird, BySinch, ByVerify
from tests.receipts.signing import OTHER, TOKEN, TOPIC, URL, ByTelnyx, Sent, hmac_of
from tests.senders.provider import Provider

SINCH, BIRD, INFOBIP, VERIFY, MESSAGEBIRD = (
    BySinch(), ByBird(), ByInfobip(), ByVerify(), ByMessageBird(),
)  # fmt: skip
TELNYX: Any = PROVIDERS[3]


def basic(password: str, scheme: str = "Basic") -> dict[str, str]:
    """The header of HTTP's basic authentication."""
    proof = base64.b64encode(f"anybody:{password}".encode()).decode()
    return {"authorization": f"{scheme} {proof}"}


def test_readers_and_senders_name_providers_alike() -> None:
    """Else no receipt would find its message."""
    kinds: list[Any] = [SnsTopics, *KINDS.values()]
    named = {getattr(getattr(senders, each), "provider", None) for each in senders.__all__}
    assert {kind.provider for kind in kinds} <= named


@pytest.mark.parametrize("provider", [SINCH, INFOBIP], ids=["sinch", "infobip"])
@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        (basic(TOKEN), "", 204),
        ({}, f"key={Shared('', TOKEN).key}", 204),
        (basic(OTHER), "", 401),
        (basic(TOKEN, "Bearer"), "", 401),
        ({"authorization": "Basic é"}, "", 401),
        ({"authorization": "Basic"}, "", 401),
        ({}, f"key={TOKEN}", 401),  # logs would show it
        ({}, f"key={Shared('', OTHER).key}", 401),
        (basic(TOKEN), "key=", 401),
        ({}, "", 401),
    ],
)
async def test_a_secret_where_nothing_is_signed(
    app: App, provider: Any, headers: dict[str, str], query: str, status: int
) -> None:
    """As the password of basic authentication, or by its key in the address, which `callback`
    gives to the sender."""
    await app.send(provider)
    body = (
        provider.content("SM1", "failed", app.clock())
        if provider is SINCH
        else provider.report("SM1", "failed", app.clock()).body
    )
    assert (await app.post(provider, Sent(body, headers, query))).status == status
    await app.settled()
    assert await app.allows() is (status == 204)
    key = Shared("", TOKEN).key
    assert app.receipts.callback(provider.name) == f"{URL}/{provider.name}?key={key}"


async def test_sinch_signs_its_time(app: App) -> None:
    """One that is no time is none, whatever it is signed by."""
    await app.send(SINCH)
    body, headers, _ = SINCH.report("SM1", "failed", app.clock())
    name = "x-sinch-webhook-signature"
    for stamp in ("now", "-1", "²"):
        signed = hmac_of(TOKEN, body, f".{headers[f'{name}-nonce']}.{stamp}".encode())
        sent = Sent(body, {**headers, f"{name}-timestamp": stamp, name: signed})
        assert (await app.post(SINCH, sent)).status == 401
    old = SINCH.report("SM1", "failed", app.clock() - 301)
    assert (await app.post(SINCH, old)).status == 401


async def test_sinch_reports_of_batches_say_nothing_of_a_message(app: App) -> None:
    """Only those of a recipient do."""
    await app.send(SINCH)
    body = SINCH.content("SM1", "failed", app.clock()).replace(b"recipient_", b"")
    assert (await app.post(SINCH, Sent(body, basic(TOKEN)))).status == 204
    assert app.receipts.snapshot() == {}


async def test_telnyx_signs_its_time(app: App) -> None:
    """In seconds, and nothing else."""
    assert isinstance(TELNYX, ByTelnyx)
    await app.send(TELNYX)
    body, headers, _ = TELNYX.report("SM1", "failed", app.clock())
    signature = TELNYX.keys[TOKEN].sign(b"now|" + body)
    wrong = {"telnyx-timestamp": "now",
             "telnyx-signature-ed25519": base64.b64encode(signature).decode()}  # fmt: skip
    assert (await app.post(TELNYX, Sent(body, {**headers, **wrong}))).status == 401


async def test_telnyx_does_not_know_either(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message whose delivery nobody has confirmed stays as it is."""
    monkeypatch.setitem(TELNYX.words, "failed", "delivery_unconfirmed")
    await app.send(TELNYX)
    await app.told(TELNYX, "failed")
    assert app.heard.words == []


@pytest.mark.parametrize(
    ("event", "message", "word"),
    [
        ("sms.outbound", {"status": "sending_failed", "failure": {"code": 14_001}}, "undelivered"),
        ("sms.outbound", {"status": "sending_failed"}, "undelivered"),
        ("sms.outbound", {"status": "processing"}, None),
        ("sms.inbound", {"status": "delivered"}, None),
    ],
)
async def test_what_bird_says(app: App, event: str, message: dict[str, Any], word: object) -> None:
    """Of what its platforms have refused it does not say that nobody is paid for it."""
    await app.send(BIRD)
    sent = BIRD.post(event, {"id": "SM1", **message}, app.clock())
    assert (await app.post(BIRD, sent)).status == 204
    assert app.heard.words == ([] if word is None else [word])
    assert not await app.allows()


async def test_verify_reports_of_many_at_once(app: App) -> None:
    """Of messages alone, and by the attempt; an event without an id is none."""
    await app.send(VERIFY)
    kind = "com.twilio.accountsecurity.verify"
    data = {"attempt_sid": "SM1", "message_status": "DELIVERED"}
    events = [{"type": f"{kind}.verification.approved", "data": data},
              {"type": f"{kind}.message.delivered", "data": data},
              {"type": f"{kind}.message.sent", "data": data}]  # fmt: skip
    assert (await app.post(VERIFY, VERIFY.post(events))).status == 204
    assert app.heard.words == ["delivered"]
    nobodys = [{"type": f"{kind}.message.delivered", "data": {"attempt_sid": ""}}]
    assert (await app.post(VERIFY, VERIFY.post(nobodys))).status == 422
    assert (await app.post(VERIFY, VERIFY.post({}))).status == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "Somebody"},
        {"nbf": None},
        {"exp": None},
        {"nbf": 4e9},
        {"exp": 0},
        {"payload_hash": hashlib.sha256(b"a body").hexdigest()},
    ],
)
async def test_messagebirds_token_has_to_be_all_there(app: App, changes: dict[str, Any]) -> None:
    """Signed by its key, and yet not as agreed."""
    await app.send(MESSAGEBIRD)
    _, headers, query = MESSAGEBIRD.report("SM1", "delivered", app.clock())
    name = "messagebird-signature-jwt"
    claims = jwt.decode(headers[name], options={"verify_signature": False}) | changes
    wrong = {name: jwt.encode({k: v for k, v in claims.items() if v is not None}, TOKEN)}
    assert (await app.post(MESSAGEBIRD, Sent(b"", wrong, query))).status == 401
    assert app.heard.words == []


async def test_messagebird_failed_without_saying_why(app: App) -> None:
    """Then it is not known that nobody has the number."""
    await app.send(MESSAGEBIRD)
    query = MESSAGEBIRD.report("SM1", "unallocated", app.clock()).query
    query = query.replace("statusErrorCode=1", "statusErrorCode=34")
    hashed = hashlib.sha256(f"{URL}/messagebird?{query}".encode()).hexdigest()
    claims = {"iss": "MessageBird", "nbf": app.clock(), "exp": app.clock() + 9, "url_hash": hashed}
    headers = {"messagebird-signature-jwt": jwt.encode(claims, TOKEN)}
    assert (await app.post(MESSAGEBIRD, Sent(b"", headers, query))).status == 204
    assert app.heard.words == ["undelivered"]


async def test_infobip_reports_of_many_at_once(app: App) -> None:
    """Each counts for itself."""
    other = await app.guard.assess(app.guard.attempt("+447400123457"))
    await app.send(INFOBIP)
    app.sent(INFOBIP, "SM2", other)
    first, second = (
        INFOBIP.report(id, word, app.clock())
        for id, word in (("SM1", "failed"), ("SM2", "delivered"))
    )
    results = [json.loads(each.body)["results"][0] for each in (first, second)]
    body = json.dumps({"results": results}).encode()
    assert (await app.post(INFOBIP, first._replace(body=body))).status == 204
    assert sorted(app.heard.words) == ["delivered", "failed"]
    assert await app.allows()


@pytest.mark.parametrize("claims", [b"[]", b"7", b"\xff"])
def test_claims_are_an_object(claims: bytes) -> None:
    """And are read before anything else is."""
    part = base64.urlsafe_b64encode(claims).decode().rstrip("=")
    with pytest.raises(IntakeError):
        claims_of(f"{part}.{part}.x", b"secret")


def test_only_one_algorithm_signs() -> None:
    """Whatever a token says of itself; the right secret is not enough."""
    assert claims_of(jwt.encode({"a": 1}, TOKEN, algorithm="HS256"), TOKEN.encode()) == {"a": 1}
    head, claims = (
        base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS1"}', b"{}")
    )
    digest = hmac.digest(TOKEN.encode(), f"{head}.{claims}".encode(), "sha256")
    signature = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    with pytest.raises(IntakeError):
        claims_of(f"{head}.{claims}.{signature}", TOKEN.encode())


@given(st.text() | st.none() | st.integers())
def test_a_date_is_one_with_its_zone_or_none(text: object) -> None:
    """Nothing that a provider says makes reading fail."""
    assert when(text) is None or isinstance(when(text), float)


def test_dates_as_providers_write_them() -> None:
    """With a zone, however it is spelt."""
    for text in ("2026-11-27T07:00:00Z", "2026-11-27T07:00:00.000+0000",
                 "2026-11-27T08:00:00+01:00"):  # fmt: skip
        assert when(text) == 1_795_762_800.0
    assert when("2026-11-27T07:00:00") is None


@given(st.lists(st.text() | st.none() | st.integers(), max_size=3))
def test_a_carrier_has_a_short_name_or_none(parts: list[Any]) -> None:
    """It becomes a label of metrics."""
    from pumpguard.receipts.plivo import Plivo

    carrier = Plivo(TOKEN).receipt("id", "delivered", None, *parts).carrier
    assert carrier == "" or (carrier.isprintable() and len(carrier) <= LONGEST_CARRIER)


async def test_what_aws_has_to_be_asked_for_cannot_be_had(app: App) -> None:
    """Then SNS is asked to come again, as it does for an hour."""

    async def away(url: str) -> bytes:
        raise Unavailable

    app.receipts._readers["sns"] = SnsTopics([TOPIC], away)
    await app.send(SNS)
    reply = await app.post(SNS, SNS.report("SM1", "failed", app.clock()))
    assert (reply.status, reply.json["type"].rpartition("/")[2]) == (503, "unavailable")


async def test_certificates_are_kept(app: App) -> None:
    """One for each address, and not without end."""
    topics = SnsTopics([TOPIC], SNS.fetch)
    app.receipts._readers["sns"] = topics
    SNS.fetched.clear()
    for i in range(12):
        where = f"https://sns.eu-west-1.amazonaws.com/{i}.pem"
        for _ in range(2):
            sent = SNS.notify("{}", app.clock(), SigningCertURL=where)
            assert (await app.post(SNS, sent)).status == 204
    assert len(SNS.fetched) == 12
    assert len(topics._keys) == 2


async def test_aws_is_asked_over_the_web() -> None:
    """And only an answer of 2xx is one."""
    async with Provider(200, b"certificate") as there:
        assert await _Web().get(there.origin) == b"certificate"
    async with Provider(404, b"") as there:
        with pytest.raises(Unavailable):
            await _Web().get(there.origin)


@pytest.mark.parametrize("make", [lambda: Telnyx("key"), lambda: SnsTopics([])])
def test_two_need_cryptography(make: Callable[[], Reader], monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is an extra."""
    monkeypatch.setitem(sys.modules, "cryptography.x509", None)
    with pytest.raises(ModuleNotFoundError) as raised:
        make()
    assert "pumpguard[receipts]" in str(raised.value.__notes__)
