"""Numbers as verify routes get them are those of the sends."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Message

from pumpguard import Policy
from pumpguard.errors import IntakeError
from pumpguard.intake.body import AnswerCopy
from pumpguard.intake.fields import Fields
from pumpguard.intake.verified import VerifyReader, numbers_of
from tests.asgi import PHONE, request


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("+447400123456", (None,)),
        ("447400123456", (None,)),
        ("447400123456", ("GB",)),
        ("447400123456", ("US",)),
        ("07400 123456", ("GB",)),
        ("07400123456", (None, "GB")),
        ("07400123456", (None, "US", "GB")),
        (" 447400123456 ", (None,)),
    ],
)
def test_every_usual_spelling_is_the_numbers_of_the_send(
    text: str, regions: tuple[str | None, ...]
) -> None:
    """In E.164, without its plus, and national where the region or home is known."""
    assert numbers_of(text, regions)[0].e164 == "+447400123456"


def test_digits_that_may_be_several_numbers_are_all_of_them() -> None:
    """Nearly all are valid in Germany. Which one a message is open to, only the store knows."""
    found = numbers_of("33612345678", (None, "GB", "DE"))
    assert [phone.e164 for phone in found] == ["+33612345678", "+4933612345678"]
    assert [phone.e164 for phone in numbers_of("+33612345678", ("DE", "GB"))] == ["+33612345678"]


@pytest.mark.parametrize("text", [None, "", "123456", "flow-17", 447400123456, "07400123456"])
def test_what_is_no_number_stays_none(text: object) -> None:
    """A code, an id, or a national number from nowhere."""
    with pytest.raises(IntakeError):
        numbers_of(text, (None,))


async def test_a_number_that_only_the_app_knows_is_looked_up() -> None:
    """By the session, say, of a database."""

    async def phone(fields: Fields) -> object:
        await asyncio.sleep(0)
        return {"a17c": PHONE}.get(str(fields.get("cookie:session")))

    reader = VerifyReader(Policy(send="/otp", phone=phone, verify="/verify"))
    answer = AnswerCopy(nowhere)
    await answer({"type": "http.response.start", "status": 200, "headers": []})
    for session, found in (("a17c", (PHONE,)), ("another", ())):
        scope = request("POST", "/verify", headers={"cookie": f"session={session}"})
        result = await reader.read(scope, b"{}", {}, answer)
        assert tuple(phone.e164 for phone in result.phones) == found


async def nowhere(message: Message) -> None:
    """A client that does not listen."""
