"""A look-up over HTTP: what it costs, how long it takes, and that it refuses nobody by failing."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from typing import Any

import pytest

from pumpguard import PolicyError
from pumpguard.scores import LookupScore
from pumpguard.scores import lookup as lookups
from pumpguard.testing import FakeClock, make_attempt
from tests.scores.service import Service

PATIENT = 10.0


def lookup(service: Service, **more: Any) -> LookupScore:
    """Asks this service, with time to spare."""
    return LookupScore(url=service.url, **{"deadline": PATIENT, **more})


@pytest.mark.parametrize(
    ("score", "factor"),
    [(0, 0.75), (59, 0.75), (60, 1.0), (74.9, 1.0), (75, 1.5), (90, 4.0), (100, 4.0), (-1, 1.0)],
)
async def test_a_score_is_a_factor(score: float, factor: float) -> None:
    """By bands, from each score on; what is below all of them changes nothing."""
    async with Service(score) as service:
        assert await lookup(service).score(make_attempt()) == factor


async def test_it_asks_as_the_service_wants() -> None:
    """The number stands escaped in the path; who asks stands in the header."""
    async with Service() as service:
        asking = lookup(service, auth=("sid", "token"), headers={"x-sub": "7"})
        await asking.score(make_attempt("+447400123456"))
        await asking.aclose()
    (head,) = service.asked
    assert head.startswith("GET /v2/PhoneNumbers/%2B447400123456?Fields=sms_pumping_risk HTTP/1.1")
    token = base64.b64encode(b"sid:token").decode()
    assert f"\r\nAuthorization: Basic {token}\r\n" in head
    assert "x-sub: 7" in head.lower()


async def test_a_field_of_another_service() -> None:
    """Anything that answers in JSON."""
    async with Service() as service:
        service.body = '{"fraud": {"score": 0.91}}'
        asking = lookup(service, field="fraud.score", bands={0.0: 1.0, 0.9: 3.0})
        assert await asking.score(make_attempt()) == 3.0


@pytest.mark.parametrize(
    ("answer", "factor"),
    [
        ({"valid": False, "validation_errors": ["TOO_SHORT"]}, 4.0),
        ({"valid": True, "validation_errors": []}, None),
        ({"valid": True, "sms_pumping_risk": {"sms_pumping_risk_score": 10}}, 0.75),
        ({"sms_pumping_risk": {"sms_pumping_risk_score": 10, "number_blocked": True}}, 4.0),
        ({"sms_pumping_risk": {"sms_pumping_risk_score": 10,
                               "number_blocked_last_3_months": True}}, 1.5),
        ({"sms_pumping_risk": {"sms_pumping_risk_score": 95, "carrier_risk_category": "high"}},
         4.0),
        ({"sms_pumping_risk": {"sms_pumping_risk_score": 10, "carrier_risk_category": "low",
                               "number_blocked": False}}, 0.75),
        ({"valid": {"no": 1}, "sms_pumping_risk": None}, None),
    ],
)  # fmt: skip
async def test_what_twilio_says_besides(
    answer: dict[str, Any], factor: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At no other price: that a number is none, that Twilio has blocked it, and whose it is. The
    strictest of all counts, and without the package what comes without it is enough."""
    async with Service() as service:
        monkeypatch.setattr("pumpguard.scores.lookup.TWILIO", service.url)
        service.body = json.dumps(answer)
        assert await lookup(service).score(make_attempt()) == factor


async def test_another_services_facts(monkeypatch: pytest.MonkeyPatch) -> None:
    """None, unless they are named."""
    async with Service() as service:
        service.body = '{"valid": false, "sms_pumping_risk": {"sms_pumping_risk_score": 10}}'
        assert await lookup(service).score(make_attempt()) == 0.75
        named = lookup(service, facts={"valid": {False: 2.0}})
        assert await named.score(make_attempt()) == 2.0


async def test_an_answer_is_remembered() -> None:
    """Also that there is none: both were paid for."""
    clock = FakeClock()
    async with Service(80) as service:
        asking = lookup(service, clock=clock, remember=60)
        assert [await asking.score(make_attempt()) for _ in range(3)] == [1.5] * 3
        clock.advance(60)
        service.status = 404
        assert [await asking.score(make_attempt()) for _ in range(3)] == [None] * 3
    assert len(service.asked) == 2


async def test_money_runs_out() -> None:
    """42 cents a day are 12 look-ups, and 2 in an hour."""
    clock = FakeClock()
    async with Service() as service:
        asking = lookup(service, daily_budget=0.42, price=0.035, clock=clock)
        phones = [f"+4474001234{n}" for n in range(10, 20)]
        answers = [await asking.score(make_attempt(phone)) for phone in phones]
    assert answers == [0.75] * 2 + [None] * 8
    assert len(service.asked) == 2


async def test_time_runs_out() -> None:
    """The deadline is for the whole of it."""
    async with Service(delay=0.5) as service:
        assert await lookup(service, deadline=0.05).score(make_attempt()) is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, "{}"),
        (401, "{}"),
        (429, "{}"),
        (302, "{}"),
        (200, "<html>"),
        (200, '{"sms_pumping_risk": {"sms_pumping_risk_score": "high"}}'),
        (200, '{"sms_pumping_risk": {"sms_pumping_risk_score": true}}'),
    ],
)
async def test_what_is_no_answer_is_none(status: int, body: str) -> None:
    async with Service(status=status) as service:
        service.body = body
        assert await lookup(service).score(make_attempt()) is None


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"sms_pumping_risk": null}'])
async def test_a_number_that_the_service_has_no_score_for(body: str) -> None:
    """That is an answer, and worth remembering."""
    async with Service() as service:
        service.body = body
        asking = lookup(service)
        assert [await asking.score(make_attempt()) for _ in range(2)] == [None, None]
    assert len(service.asked) == 1


async def test_three_faults_in_a_row_and_it_is_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """For half a minute; then one more fault is enough."""
    clock = FakeClock()
    async with Service(99, status=500) as service:
        asking = lookup(service, clock=clock)
        with caplog.at_level(logging.WARNING):
            for _ in range(10):
                assert await asking.score(make_attempt()) is None
        assert len(service.asked) == 3
        assert "PG036 look-ups fail (HTTPStatusError)" in caplog.text
        assert "+44" not in caplog.text
        clock.advance(30)
        await asking.score(make_attempt())
        await asking.score(make_attempt())
        assert len(service.asked) == 4
        clock.advance(30)
        service.status = 200
        assert await asking.score(make_attempt()) == 4.0


async def test_nobody_listens_there() -> None:
    """A refused connection is a fault like any other."""
    async with Service() as service:
        url = service.url
    assert await LookupScore(url=url, deadline=PATIENT).score(make_attempt()) is None


def test_it_works_in_one_event_loop_after_another() -> None:
    """As in tests, and in apps that start more than one."""

    async def ask(asking: LookupScore, service: Service, phone: str) -> float | None:
        async with service:
            asking._url = service.url
            found = await asking.score(make_attempt(phone))
            await asking.aclose()
            return found

    asking = LookupScore(deadline=PATIENT)
    assert asyncio.run(ask(asking, Service(80), "+447400123456")) == 1.5
    assert asyncio.run(ask(asking, Service(95), "+447400123457")) == 4.0


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"url": "https://example.com/"}, "score.url"),
        ({"url": "http://example.com/{phone}"}, "score.url"),
        ({"url": "ftp://example.com/{phone}"}, "score.url"),
        ({"bands": {}}, "score.bands"),
        ({"bands": {50: 0.0}}, "score.bands"),
        ({"price": 0}, "score.price"),
        ({"daily_budget": 0.01}, "score.daily_budget"),
        ({"deadline": 0}, "score.deadline"),
    ],
)
def test_mistakes_are_named(settings: Any, path: str) -> None:
    """Numbers and tokens travel encrypted, unless the service is on this very machine."""
    with pytest.raises(PolicyError) as raised:
        LookupScore(**settings)
    assert raised.value.path == path


async def test_so_many_answers_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is asked for again."""
    monkeypatch.setattr(lookups, "MAX_KNOWN", 2)
    async with Service() as service:
        asking = lookup(service)
        for phone in ("+447400123456", "+447400123457", "+447400123458", "+447400123458"):
            await asking.score(make_attempt(phone))
        assert len(service.asked) == 3
        await asking.score(make_attempt("+447400123456"))
    assert len(service.asked) == 4
