"""AWS: SNS, and End User Messaging SMS (v2), by a client of boto3's.

Contracts: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html and
https://docs.aws.amazon.com/pinpoint/latest/apireference_smsvoicev2/API_SendTextMessage.html, as
boto3 1.44 has them (2026-11-26). In both ``MaxPrice`` is a cap: a message that costs more is not
sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Any

from pumpguard.config import require
from pumpguard.senders.base import OnSent, ProviderAway, Sender
from pumpguard.senders.feedback import News, accepted

NO_RETRIES = "a client without retries: Config(retries={'total_max_attempts': 1})"

NEVER_ASKED = ("EndpointConnectionError", "ConnectTimeoutError", "NoCredentialsError")
"""Errors of botocore after which nothing has reached AWS."""


class AwsSender(Sender):
    """``client`` is boto3's, with a configuration that does not try again what may have been sent.
    It works in threads. Raises `PolicyError`."""

    def __init__(
        self, client: Any, *, max_price: float | None, deadline: float, sent: OnSent | None
    ) -> None:
        super().__init__(deadline=deadline, sent=sent)
        retries = client.meta.config.retries or {}
        require(retries.get("total_max_attempts") == 1, "sender.client", NO_RETRIES, retries)
        require(max_price is None or max_price > 0, "sender.max_price", "USD above 0", max_price)
        self._client = client
        self._max_price = None if max_price is None else f"{max_price:.4f}"

    async def ask(self, phone: str, text: str) -> str:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = await asyncio.to_thread(self.call, phone, text)
        except ClientError as error:
            about = error.response
            if about["ResponseMetadata"]["HTTPStatusCode"] < 500:
                self.refused(about["Error"]["Code"])
            self.unclear(about["Error"]["Code"])
        except BotoCoreError as error:
            name = type(error).__name__
            if name in NEVER_ASKED:
                raise ProviderAway(f"{self.provider}: {name}") from None
            self.unclear(name)
        return str(found["MessageId"])

    def call(self, phone: str, text: str) -> Any:
        """Ask AWS, in a thread."""
        raise NotImplementedError


class Sns(AwsSender):
    """``boto3.client("sns", config=Config(retries={"total_max_attempts": 1}))``. ``from_`` is a
    sender name, where the country allows one; ``max_price`` USD a message may cost."""

    provider = "sns"

    def __init__(
        self,
        client: Any,
        *,
        from_: str | None = None,
        max_price: float | None = None,
        deadline: float = 5.0,
        sent: OnSent | None = None,
    ) -> None:
        super().__init__(client, max_price=max_price, deadline=deadline, sent=sent)
        given = {"SMSType": "Transactional", "SenderID": from_, "MaxPrice": self._max_price}
        self._attributes = {
            f"AWS.SNS.SMS.{name}": {
                "DataType": "Number" if name == "MaxPrice" else "String",
                "StringValue": value,
            }
            for name, value in given.items()
            if value is not None
        }

    def call(self, phone: str, text: str) -> Any:
        return self._client.publish(
            PhoneNumber=phone, Message=text, MessageAttributes=self._attributes
        )


class EndUserMessaging(AwsSender):
    """``boto3.client("pinpoint-sms-voice-v2", config=…)``. ``from_`` is the origination identity
    (a number, a pool, a sender id), ``configuration_set`` says where AWS reports what became of a
    message. With ``feedback`` it waits for an hour to be told whose code was entered, and takes
    the others for not received: https://docs.aws.amazon.com/pinpoint/latest/
    apireference_smsvoicev2/API_PutMessageFeedback.html (read on 2026-11-27)."""

    provider = "aws"

    def __init__(
        self,
        client: Any,
        *,
        from_: str,
        max_price: float | None = None,
        configuration_set: str | None = None,
        feedback: bool = False,
        deadline: float = 5.0,
        sent: OnSent | None = None,
    ) -> None:
        super().__init__(client, max_price=max_price, deadline=deadline, sent=sent)
        given = {
            "OriginationIdentity": from_,
            "MaxPrice": self._max_price,
            "ConfigurationSetName": configuration_set,
            "MessageFeedbackEnabled": feedback or None,
        }
        self._fixed = {name: value for name, value in given.items() if value is not None}
        self.feedback = feedback

    async def inform(self, news: Sequence[News]) -> int:
        """Tell AWS that these messages were received."""
        put = partial(self._client.put_message_feedback, MessageFeedbackStatus="RECEIVED")
        return await accepted(asyncio.to_thread(put, MessageId=each.id) for each in news)

    def call(self, phone: str, text: str) -> Any:
        return self._client.send_text_message(
            DestinationPhoneNumber=phone, MessageBody=text, MessageType="TRANSACTIONAL",
            **self._fixed,
        )  # fmt: skip
