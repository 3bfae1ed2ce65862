"""AWS: SNS against moto, and End User Messaging by boto3's own client against a loopback server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws
from moto.sns.models import sns_backends

from pumpguard import PolicyError
from pumpguard.senders import EndUserMessaging, NotSent, ProviderAway, SendUnknown, Sns
from tests.senders.provider import Provider

PHONE = "+447400123456"
ONCE = Config(retries={"total_max_attempts": 1}, read_timeout=5)


def client(service: str, config: Config | None = ONCE, **settings: Any) -> Any:
    """boto3's, with keys that are none."""
    return boto3.client(
        service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="y",
        config=config, **settings,
    )  # fmt: skip


@pytest.fixture
def sns() -> Iterator[Any]:
    """moto's."""
    with mock_aws():
        yield client("sns")


async def test_sns(sns: Any) -> None:
    """The message goes out, with what it may cost."""
    asking = Sns(sns, from_="Shop", max_price=0.1)
    id = await asking("0044 7400 123456", "hello")
    (message,) = sns_backends["123456789012"]["eu-west-1"].sms_messages.items()
    assert message == (id, (PHONE, "hello"))
    assert asking._attributes["AWS.SNS.SMS.MaxPrice"] == {
        "DataType": "Number",
        "StringValue": "0.1000",
    }


async def test_a_client_that_tries_again_is_refused(sns: Any) -> None:
    """By default botocore sends up to five times what may have been sent."""
    for config in (None, Config(retries={"max_attempts": 1})):
        with pytest.raises(PolicyError) as raised:
            Sns(client("sns", config))
        assert raised.value.path == "sender.client"


async def test_end_user_messaging() -> None:
    """As boto3 asks: JSON, the action in a header."""
    async with Provider(200, {"MessageId": "m-1"}) as provider:
        aws = client("pinpoint-sms-voice-v2", endpoint_url=provider.origin)
        asking = EndUserMessaging(
            aws, from_="pool-1", max_price=0.1, configuration_set="set", feedback=True
        )
        assert await asking(PHONE, "hello") == "m-1"
    assert provider.headers[0]["x-amz-target"] == "PinpointSMSVoiceV2.SendTextMessage"
    assert provider.bodies == [
        {
            "DestinationPhoneNumber": PHONE,
            "MessageBody": "hello",
            "MessageType": "TRANSACTIONAL",
            "OriginationIdentity": "pool-1",
            "MaxPrice": "0.1000",
            "ConfigurationSetName": "set",
            "MessageFeedbackEnabled": True,
        }
    ]


@pytest.mark.parametrize(
    ("status", "error"), [(400, NotSent), (429, NotSent), (500, SendUnknown), (503, SendUnknown)]
)
async def test_what_aws_says(status: int, error: type[Exception]) -> None:
    """A refusal, such as a price above the cap, has sent nothing; a fault of theirs is unclear. It
    is asked once."""
    answer = {"__type": "ConflictException", "Message": "no"}
    async with Provider(status, answer) as provider:
        aws = client("pinpoint-sms-voice-v2", endpoint_url=provider.origin)
        with pytest.raises(error):
            await EndUserMessaging(aws, from_="pool-1")(PHONE, "hello")
    assert len(provider.lines) == 1


async def test_nobody_listens_there() -> None:
    """Then nothing was sent."""
    async with Provider() as provider:
        url = provider.origin
    aws = client("pinpoint-sms-voice-v2", endpoint_url=url)
    with pytest.raises(ProviderAway):
        await EndUserMessaging(aws, from_="pool-1")(PHONE, json.dumps("hello"))


async def test_an_answer_that_does_not_come_is_unclear() -> None:
    """It may have gone out, so it is asked once."""
    never = Config(retries={"total_max_attempts": 1}, read_timeout=0.2)
    async with Provider(200, {"MessageId": "m-1"}, delay=2) as provider:
        aws = client("pinpoint-sms-voice-v2", never, endpoint_url=provider.origin)
        with pytest.raises(SendUnknown):
            await EndUserMessaging(aws, from_="pool-1")(PHONE, "hello")
    assert len(provider.lines) == 1
