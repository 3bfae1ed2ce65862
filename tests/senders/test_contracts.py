"""Each provider is asked as its documentation says, and its answers mean what they mean there.

The exchanges were written from the pages that the senders name.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from pumpguard.senders import (
    Bird,
    HttpSender,
    Infobip,
    MessageBird,
    NotSent,
    Plivo,
    SendUnknown,
    Sinch,
    Telnyx,
    Twilio,
    TwilioVerify,
    Vonage,
)
from tests.senders.provider import Provider

PHONE, TEXT, HOOK = "+447400123456", "Your code is 123456", "https://app.example/receipts"


def basic(name: str, secret: str) -> str:
    """Of HTTP's basic authentication."""
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


@dataclass
class Contract:
    """How to make the sender, what it asks, what a taken and a refused message look like."""

    make: Callable[[str], HttpSender]
    path: str
    authorization: str
    asked: dict[str, Any]
    taken: tuple[int, Any]
    id: str
    refused: tuple[int, Any]
    code: object


CONTRACTS = {
    "twilio": Contract(
        lambda base: Twilio(
            "AC1", "tok", from_="+15005550006", max_price=0.1, callback=HOOK, base=base
        ),
        "/2010-04-01/Accounts/AC1/Messages.json",
        basic("AC1", "tok"),
        {"From": "+15005550006", "To": PHONE, "Body": TEXT, "MaxPrice": "0.1000",
         "StatusCallback": HOOK},
        (201, {"sid": "SM" + "0" * 32, "status": "queued", "error_code": None}),
        "SM" + "0" * 32,
        (400, {"code": 21211, "message": "The 'To' number is not valid.", "status": 400}),
        21211,
    ),
    "twilio with a messaging service": Contract(
        lambda base: Twilio("AC1", "tok", from_="MG1", base=base),
        "/2010-04-01/Accounts/AC1/Messages.json",
        basic("AC1", "tok"),
        {"MessagingServiceSid": "MG1", "To": PHONE, "Body": TEXT},
        (201, {"sid": "SM1"}),
        "SM1",
        (429, {"code": 20429, "status": 429}),
        20429,
    ),
    "twilio verify": Contract(
        lambda base: TwilioVerify("AC1", "tok", service="VA1", base=base),
        "/v2/Services/VA1/Verifications",
        basic("AC1", "tok"),
        {"To": PHONE, "Channel": "sms"},
        (201, {"sid": "VE1", "status": "pending"}),
        "VE1",
        (403, {"code": 60410, "status": 403}),  # blocked by its Fraud Guard
        60410,
    ),
    "twilio verify, the second message": Contract(
        lambda base: TwilioVerify("AC1", "tok", service="VA1", base=base),
        "/v2/Services/VA1/Verifications",
        basic("AC1", "tok"),
        {"To": PHONE, "Channel": "sms"},
        (201, {"sid": "VE1", "send_code_attempts": [{"attempt_sid": "VL1"},
                                                    {"attempt_sid": "VL2"}]}),
        "VL2",
        (429, {"code": 60203, "status": 429}),
        60203,
    ),
    "vonage": Contract(
        lambda base: Vonage("key", "secret", from_="+447700900000", callback=HOOK, base=base),
        "/v1/messages",
        basic("key", "secret"),
        {"channel": "sms", "message_type": "text", "from": "447700900000", "to": PHONE[1:],
         "text": TEXT, "webhook_url": HOOK},
        (202, {"message_uuid": "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"}),
        "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
        (422, {"type": "https://developer.vonage.com/api-errors/messages#1150", "title": "no"}),
        "1150",
    ),
    "sinch": Contract(
        lambda base: Sinch("plan", "tok", from_="Shop", callback=HOOK, base=base),
        "/xms/v1/plan/batches",
        "Bearer tok",
        {"from": "Shop", "to": [PHONE], "body": TEXT, "callback_url": HOOK,
         "delivery_report": "per_recipient_final"},
        (201, {"id": "01FC66621XXXXX119Z8PMV1QPQ", "to": [PHONE[1:]]}),
        "01FC66621XXXXX119Z8PMV1QPQ",
        (403, {"code": "unauthorized_sender", "text": "no"}),
        "unauthorized_sender",
    ),
    "messagebird": Contract(
        lambda base: MessageBird("key", from_="Shop", callback=HOOK, base=base),
        "/messages",
        "AccessKey key",
        {"originator": "Shop", "recipients": [PHONE[1:]], "body": TEXT, "reportUrl": HOOK,
         "reference": "pumpguard"},
        (201, {"id": "e8077d803532c0b5937c639b60216938"}),
        "e8077d803532c0b5937c639b60216938",
        (422, {"errors": [{"code": 9, "description": "no (correct) recipients found"}]}),
        9,
    ),
    "bird": Contract(
        lambda base: Bird("key", workspace="w", channel="c", base=base),
        "/workspaces/w/channels/c/messages",
        "AccessKey key",
        {"receiver": {"contacts": [{"identifierKey": "phonenumber", "identifierValue": PHONE}]},
         "body": {"type": "text", "text": {"text": TEXT}}},
        (202, {"id": "f06fd90b", "status": "accepted"}),
        "f06fd90b",
        (422, {"code": "InvalidPayload", "message": "no"}),
        "InvalidPayload",
    ),
    "infobip": Contract(
        lambda base: Infobip("key", from_="Shop", callback=HOOK, base=base),
        "/sms/2/text/advanced",
        "App key",
        {"messages": [{"from": "Shop", "destinations": [{"to": PHONE[1:]}], "text": TEXT,
                       "notifyUrl": HOOK, "notifyContentType": "application/json"}]},
        (200, {"messages": [{"messageId": "2250be2d", "status": {"groupId": 1, "id": 26}}]}),
        "2250be2d",
        (200, {"messages": [{"messageId": "2250be2e", "status": {
            "groupId": 5, "groupName": "REJECTED", "name": "REJECTED_NETWORK"}}]}),
        "REJECTED_NETWORK",
    ),
    "plivo": Contract(
        lambda base: Plivo("MA1", "tok", from_="14152223333", callback=HOOK, base=base),
        "/v1/Account/MA1/Message/",
        basic("MA1", "tok"),
        {"src": "14152223333", "dst": PHONE[1:], "text": TEXT, "log": "false", "url": HOOK,
         "method": "POST"},
        (202, {"message": "message(s) queued", "message_uuid": ["db3ce55a"], "api_id": "x"}),
        "db3ce55a",
        (400, {"api_id": "x", "error": "dst parameter is invalid"}),
        400,
    ),
    "telnyx": Contract(
        lambda base: Telnyx("key", from_="Shop", profile="p", callback=HOOK, base=base),
        "/v2/messages",
        "Bearer key",
        {"from": "Shop", "messaging_profile_id": "p", "webhook_url": HOOK, "to": PHONE,
         "text": TEXT, "type": "SMS"},
        (200, {"data": {"id": "40385f64", "to": [{"status": "queued"}], "errors": []}}),
        "40385f64",
        (422, {"errors": [{"code": "40310", "title": "Invalid 'to' address"}]}),
        "40310",
    ),
}  # fmt: skip

each = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS.keys())


async def sent(contract: Contract, provider: Provider) -> str:
    """Send one; what comes of it."""
    asking = contract.make(provider.origin)
    try:
        return await asking("0044 7400 123456", TEXT)
    finally:
        await asking.aclose()


@each
async def test_a_message_is_taken(contract: Contract) -> None:
    """The number is the canonical one, however it was spelt; the provider's id comes back."""
    status, answer = contract.taken
    async with Provider(status, answer) as provider:
        assert await sent(contract, provider) == contract.id
    assert provider.lines == [f"POST {contract.path} HTTP/1.1"]
    assert provider.headers[0]["authorization"] == contract.authorization
    assert provider.bodies == [contract.asked]


@each
async def test_a_message_is_refused(contract: Contract) -> None:
    """Then nothing was sent, and the provider's own code says why; the number is not in it."""
    status, answer = contract.refused
    async with Provider(status, answer) as provider:
        with pytest.raises(NotSent) as raised:
            await sent(contract, provider)
    assert raised.value.code == contract.code
    assert PHONE[1:] not in str(raised.value)
    assert len(provider.lines) == 1


@each
@pytest.mark.parametrize("answer", [b"", b"<html>", {}, [], {"id": 7}, None])
async def test_taken_without_an_id_is_unclear(contract: Contract, answer: object) -> None:
    """It may have gone out."""
    async with Provider(contract.taken[0], answer) as provider:
        with pytest.raises(SendUnknown):
            await sent(contract, provider)


@each
@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
async def test_a_fault_of_theirs_is_unclear(contract: Contract, status: int) -> None:
    """And it is not asked again."""
    async with Provider(status, {}) as provider:
        with pytest.raises(SendUnknown):
            await sent(contract, provider)
    assert len(provider.lines) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda base: Vonage("key", "secret", from_="Shop", base=base),
        lambda base: Sinch("plan", "tok", from_="Shop", base=base),
        lambda base: Plivo("MA1", "tok", from_="Shop", base=base),
        lambda base: Infobip("key", from_="Shop", base=base),
        lambda base: MessageBird("key", from_="Shop", base=base),
    ],
)
async def test_without_a_callback_no_report_is_asked_for(
    make: Callable[[str], HttpSender],
) -> None:
    """No address of anybody's is in what is asked."""
    async with Provider(500, {}) as provider:
        asking = make(provider.origin)
        with pytest.raises(SendUnknown):
            await asking(PHONE, TEXT)
        await asking.aclose()
    (asked,) = provider.bodies
    assert "http" not in str(asked)
