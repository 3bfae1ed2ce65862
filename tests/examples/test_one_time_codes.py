"""What the target app promises to the people who sign up with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from examples.target_app.codes import Codes
from examples.target_app.numbering import e164, look_up
from tests.examples.visitor import BRITISH, NOON, Visitor, another


async def test_a_code_travels_from_send_to_the_handset_to_verify(visitor: Visitor) -> None:
    reply = await visitor.send()

    assert reply.status_code == 202
    assert reply.json().pop("request_id")
    assert reply.json() | {"request_id": ""} == {
        "status": "sent",
        "request_id": "",
        "expires_in": 300,
        "resend_in": 60,
    }
    verified = await visitor.verify(await visitor.code())
    assert (verified.status_code, verified.json()) == (200, {"status": "verified"})


async def test_a_message_takes_one_to_six_seconds_to_arrive(visitor: Visitor) -> None:
    await visitor.send()

    visitor.now = NOON + 0.9
    assert await visitor.texts() == []
    visitor.now = NOON + 6
    assert len(await visitor.texts()) == 1


async def test_a_code_works_once(visitor: Visitor) -> None:
    await visitor.send()
    code = await visitor.code()

    assert (await visitor.verify(code)).status_code == 200
    again = await visitor.verify(code)
    assert (again.status_code, again.json()) == (400, {"status": "invalid"})


async def test_a_code_expires_after_five_minutes(visitor: Visitor) -> None:
    await visitor.send()
    code = await visitor.code()

    visitor.now = NOON + 300
    assert (await visitor.verify(code)).status_code == 400
    visitor.now = NOON + 299
    assert (await visitor.verify(code)).status_code == 200


async def test_the_fifth_wrong_guess_is_the_last(visitor: Visitor) -> None:
    await visitor.send()
    code = await visitor.code()

    for _ in range(5):
        assert (await visitor.verify(another(code))).status_code == 400
    assert (await visitor.verify(code)).status_code == 400


async def test_after_four_wrong_guesses_the_right_code_still_works(visitor: Visitor) -> None:
    await visitor.send()
    code = await visitor.code()

    for _ in range(4):
        await visitor.verify(another(code))
    assert (await visitor.verify(code)).status_code == 200


async def test_only_the_latest_code_of_a_phone_works(visitor: Visitor) -> None:
    await visitor.send()
    first = await visitor.code()
    await visitor.send()
    second = await visitor.code()

    if first != second:
        assert (await visitor.verify(first)).status_code == 400
    assert (await visitor.verify(second)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"json": {"phone": "+44 7400 123456"}},
        {"json": {"phone": "0044 7400-123456"}},
        {"json": {"code": "44", "phone": "7400123456"}},
        {"json": {"code": "+44", "phone": "07400 123456"}},
        {"data": {"phone": BRITISH}},
        {"data": {"code": "44", "phone": "7400123456"}},
    ],
    ids=str,
)
async def test_every_spelling_of_a_number_reaches_the_same_handset(
    visitor: Visitor, body: dict[str, dict[str, str]]
) -> None:
    reply = await visitor.call("POST", "/otp/send", **body)

    assert reply.status_code == 202
    form = {"phone": BRITISH, "code": await visitor.code(BRITISH)}
    assert (await visitor.call("POST", "/otp/verify", data=form)).status_code == 200


@pytest.mark.parametrize("path", ["/otp/send", "/otp/verify"])
@pytest.mark.parametrize(
    "body",
    [
        {"json": {"phone": "hello"}},
        {"json": {"phone": "7400123456"}},
        {"json": {"phone": "+"}},
        {"json": {"phone": ["+447400123456"]}},
        {"json": ["+447400123456"]},
        {"json": {"phone": "+44" + "7" * 5_000}},
        {"content": b"\xff\xfe"},
        {"content": b"[" * 4_000},
        {"content": b""},
        {"content": b'{"phone": "\\ud800"}'},
        {"data": {"phone": ""}},
    ],
    ids=lambda body: str(body)[:40],
)
async def test_what_holds_no_phone_number_is_refused_and_costs_nothing(
    visitor: Visitor, path: str, body: dict[str, object]
) -> None:
    reply = await visitor.call("POST", path, **body)

    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    assert (await visitor.get("/sms-provider/billing"))["messages_sent"] == 0


@pytest.mark.parametrize("code", ["", "abc", "1" * 3_000, "\N{ARABIC-INDIC DIGIT ONE}", '"'])
async def test_a_strange_code_is_just_wrong(visitor: Visitor, code: str) -> None:
    await visitor.send()

    assert (await visitor.verify(code)).status_code == 400


async def test_a_lone_surrogate_is_just_a_wrong_code(visitor: Visitor) -> None:
    await visitor.send()

    body = b'{"phone": "+447400123456", "code": "\\ud800"}'
    assert (await visitor.call("POST", "/otp/verify", content=body)).status_code == 400


async def test_the_front_page_is_html(visitor: Visitor) -> None:
    reply = await visitor.call("GET", "/")

    assert reply.headers["content-type"].startswith("text/html")
    assert 'action="/otp/send"' in reply.text


def test_codes_are_kept_as_hashes_only() -> None:
    codes = Codes(lambda: NOON)
    code = codes.issue(BRITISH)

    assert code not in repr(codes._issued)


def test_expired_codes_make_room_by_themselves() -> None:
    now = NOON
    codes = Codes(lambda: now)
    for last in range(100):
        codes.issue(f"+4474001234{last:02}")
    now += 300

    codes.issue(BRITISH)
    assert len(codes) == 1


def test_a_flood_of_codes_pushes_out_the_oldest() -> None:
    codes = Codes(lambda: NOON, capacity=2)
    first, second, third = (codes.issue(phone) for phone in ("+441", "+442", "+443"))

    assert not codes.redeem("+441", first)
    assert codes.redeem("+442", second)
    assert codes.redeem("+443", third)


# The numbering plan of a country is loaded when it is first asked for: once, and slowly.
@settings(deadline=None)
@given(st.text(alphabet="+0123456789 -().x٣７", max_size=20), st.sampled_from(["", "44", "0039"]))
def test_a_canonical_number_stays_as_it_is_and_can_be_looked_up(phone: str, code: str) -> None:
    canonical = e164(phone, code)

    if canonical is not None:
        assert e164(canonical) == canonical
        assert look_up(canonical).destination
