"""What a shadow returns, where nobody has said it: something like what real sends did."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from pumpguard import sender
from pumpguard.shadow.stand_in import KEPT, StandIns
from tests.asgi import PHONE
from tests.shadow.site import SHADOWED, Site


def like_one(result: Any, *given: object) -> Any:
    """What is made like one result, for another call."""
    stand_ins = StandIns()
    assert stand_ins.learn(result, given, {})
    return stand_ins.make((SHADOWED, "Your code is 222222")[: len(given)], {})


@pytest.mark.parametrize(
    ("result", "pattern"),
    [
        ("SM3f5b0c9d8e7a61524334251607f8e9d0", "SM[0-9a-f]{32}"),
        ("msg_2b1C3d4E5f", "msg_[0-9a-zA-Z]{10}"),
        ("message-1", "message-[0-9]"),
        ("1234567890", "[0-9]{10}"),
        ("3F5B0C9D", "[0-9A-F]{8}"),
        ("a1:b2=", "[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]="),
    ],
)
def test_an_id_is_made_anew_in_its_shape(result: str, pattern: str) -> None:
    made = {like_one(result) for _ in range(50)}
    assert all(re.fullmatch(pattern, each) for each in made), made
    assert len(made) > 5


def test_uuids_and_moments_are_new() -> None:
    """In the form that they had."""
    assert uuid.UUID(like_one("0100018f-1111-4222-8333-abcdefabcdef")).version == 4
    assert like_one("0100018F-1111-4222-8333-ABCDEFABCDEF").isupper()
    now = datetime.now(UTC)
    for text in ("2020-01-02T03:04:05Z", "2020-01-02 03:04:05.678+00:00"):
        made = like_one(text)
        assert re.sub("[0-9]", "9", made) == re.sub("[0-9]", "9", text)
        assert datetime.fromisoformat(made) - now < timedelta(minutes=1)
    made = like_one("Thu, 02 Jan 2020 03:04:05 GMT")
    assert parsedate_to_datetime(made) - now < timedelta(minutes=1)
    assert abs(like_one(int(time.time()) - 60) - time.time()) < 30
    assert abs(like_one(time.time() * 1_000) / 1_000 - time.time()) < 30


def test_what_says_nothing_of_anybody_is_repeated() -> None:
    plain = {"status": "queued", "code": 0, "ok": True, "error": None, "price": 0.0075, "x": ["OK"]}
    assert like_one(plain) == plain
    assert like_one(()) == ()


@pytest.mark.parametrize(
    ("result", "hope"),
    [
        ({"parts": [{"text": "Hello, you!"}]}, None),
        ({"parts": [{"text": "Hello, you!"}, object()]}, False),
        (("Hello, you!", {"of": object()}), False),
    ],
)
def test_free_text_of_one_call_may_be_understood_later_and_objects_never(
    result: Any, hope: bool | None
) -> None:
    """However deep they are: with ``False``, shadows are refused openly from then on."""
    assert StandIns().learn(result, (PHONE,), {}) is hope


def test_what_repeats_an_argument_repeats_that_of_the_call() -> None:
    """The number and the text of somebody else stay theirs."""
    text = "Your code is 111111"
    made = like_one({"to": PHONE, "body": text, "number": 447400123456}, PHONE, text)
    assert (made["to"], made["body"]) == (SHADOWED, "Your code is 222222")
    assert made["number"] != 447400123456
    assert len(str(made["number"])) == 12


def learnt(results: Sequence[Any]) -> tuple[list[bool | None], Any]:
    """Results for several people in turn: whether one like them can be made, and one."""
    stand_ins = StandIns()
    told = [stand_ins.learn(result, (f"+4474001234{n}",), {}) for n, result in enumerate(results)]
    return told, stand_ins.make((SHADOWED,), {})


def test_free_text_is_repeated_once_several_people_were_told_the_same() -> None:
    """Before, it may be about one of them."""
    text = "application/json; charset=utf-8"
    assert learnt([text] * 5) == ([None, None, None, True, True], text)
    told, made = learnt([f"Sent to Alice {n}" for n in range(10)])
    assert (told[:7], told[-1], made) == ([None] * 7, False, None)
    assert len(told) > KEPT


def test_a_fixed_beginning_is_known_from_several() -> None:
    _, made = learnt([f"gateway7x{n:04}" for n in (1234, 8765, 3456, 9012)])
    assert re.fullmatch("gateway7x[0-9]{4}", made)


def test_an_odd_result_among_known_ones_changes_nothing() -> None:
    """Such as an error that is told in words."""
    told, made = learnt([{"id": "m-1"}, {"error": "Number 3 is busy now"}, {"id": "m-2"}])
    assert told == [True, True, True]
    assert made.keys() == {"id"}


class Receipt:
    """A provider's own class."""

    def __init__(self, sid: str) -> None:
        self.sid = sid


async def test_without_a_stand_in_a_shadow_is_refused_openly_and_it_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The app would answer 500, and everybody would see the shadow."""
    send = sender(Receipt)

    async def way(phone: str) -> object:
        return send(phone).sid

    site = Site(way)
    replies = [(await site.ask(phone)).status for phone in (PHONE, SHADOWED, PHONE, SHADOWED)]
    assert replies == [202, 403, 202, 403]
    assert caplog.text.count("PG061") == 1
    assert "PG002" not in caplog.text


async def test_the_quick_start_works_as_it_stands() -> None:
    """``sender(send_sms)``, by an app that reads the provider's answer."""
    sent: list[str] = []

    def provider(phone: str) -> dict[str, str]:
        sent.append(phone)
        return {"sid": f"SM{uuid.uuid4().hex}", "to": phone}

    send, answers = sender(provider), []

    async def way(phone: str) -> object:
        answers.append(send(phone))
        return answers[-1]["sid"][2:], answers[-1]["to"]

    site = Site(way)
    assert [(await site.ask(phone)).status for phone in (PHONE, SHADOWED)] == [202, 202]
    assert sent == [PHONE]
    assert answers[1]["to"] == SHADOWED
    assert re.fullmatch("SM[0-9a-f]{32}", answers[1]["sid"])
    assert answers[0]["sid"] != answers[1]["sid"]
