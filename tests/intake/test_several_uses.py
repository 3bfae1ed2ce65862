"""One endpoint with several uses: requests that send nothing, and requests with several numbers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pumpguard import (
    Action,
    Attempt,
    Decision,
    Finding,
    Guard,
    Policy,
    PolicyError,
    PumpGuardMiddleware,
    current_decision,
    sender,
)
from pumpguard.intake.conditions import condition
from pumpguard.intake.fields import Fields
from pumpguard.intake.network import UnknownNetworks
from pumpguard.intake.reader import MAX_NUMBERS
from pumpguard.rules import Budget
from pumpguard.testing import FakeClock, make_attempt
from tests.asgi import FORM, PHONE, Reply, call, request
from tests.otp_app import one_per_minute

OTHER = "+447911123456"
OPTIONAL: dict[str, Any] = {"phone_optional": True}


class App:
    """Says what it read, behind a limit of one message per number and minute."""

    def __init__(self, status: int = 200, **policy: Any) -> None:
        self.decisions: list[Decision] = []
        self.read: list[bytes] = []
        self.sent: list[str] = []
        self.status = status
        self.send = sender(self.sent.append)
        settings = {"send": "/otp", "rules": one_per_minute(), "deadline": 10, **policy}
        self.guard = Guard(
            Policy(**settings),
            clock=FakeClock(),
            networks=UnknownNetworks(),
            on_decision=self.decisions.append,
        )
        routes = [Route("/otp", self.answer, methods=["POST"])]
        self.app = PumpGuardMiddleware(Starlette(routes=routes), guard=self.guard)

    async def answer(self, request: Request) -> Response:
        raw = await request.body()
        self.read.append(raw)
        body = json.loads(raw) if raw.startswith(b"{") else {}
        phone = body.get("phone")
        if current_decision() is not None:
            self.send(phone if isinstance(phone, str) and phone else PHONE)
        return JSONResponse({}, self.status)

    async def ask(self, body: Any, **scope: Any) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await call(self.app, request(path="/otp", **scope), raw)


# Requests that send nothing


@pytest.mark.parametrize(
    "body", [{"email": "ann@example.org"}, {"phone": ""}, {"phone": None}, {"phone": []}]
)
async def test_a_request_without_a_number_passes_untouched(body: Any) -> None:
    """No decision, no charge, and the app reads its body."""
    app = App(**OPTIONAL)
    assert [(await app.ask(body)).status for _ in range(3)] == [200] * 3
    assert app.read == [json.dumps(body).encode()] * 3
    assert app.decisions == []
    assert (await app.ask({"phone": PHONE})).status == 200
    assert (await app.ask({"phone": PHONE})).status == 429


async def test_without_a_word_of_the_policy_it_is_refused() -> None:
    """As always."""
    app = App()
    bodies: list[Any] = [{}, {"phone": ""}, {"phone": None}, {"phone": []}, [], [{}]]
    for body in bodies:
        assert (await app.ask(body)).status == 422
    assert app.read == []


async def test_what_is_no_number_is_not_absent() -> None:
    """Only what says nothing sends nothing."""
    app = App(**OPTIONAL)
    values: list[Any] = [" ", "x", 0, False, {}, "\u200b", 447400123456, [{}]]
    for value in values:
        assert (await app.ask({"phone": value})).status == 422
    assert (await app.ask(b'{"phone": "", "phone": "+447400123456"}')).status == 400
    assert (await app.ask(b"phone=&phone=%2B447400123456", content_type=FORM)).status == 400
    assert (await app.ask(b"{")).status == 400
    assert (await app.ask({}, content_type="application/xml")).status == 415
    assert app.read == []


async def test_a_function_that_finds_no_number_may_say_so() -> None:
    """By ``None``."""

    def phone(fields: Fields) -> object:
        body: Any = fields.json
        return body["value"] if body["kind"] == "phone" else None

    app = App(phone=phone, **OPTIONAL)
    assert (await app.ask({"kind": "email", "value": "ann@example.org"})).status == 200
    assert app.decisions == []
    assert (await app.ask({"kind": "phone", "value": PHONE})).status == 200
    assert len(app.decisions) == 1
    assert (await App(phone=phone).ask({"kind": "email"})).status == 422


async def test_a_number_that_only_the_app_knows_is_looked_up() -> None:
    """Which may take a while."""
    known = {"ann": PHONE}

    async def phone(fields: Fields) -> object:
        body: Any = fields.json
        await asyncio.sleep(0)
        return known.get(body["user"])

    app = App(phone=phone, **OPTIONAL)
    assert (await app.ask({"user": "ann"})).status == 200
    assert (await app.ask({"user": "ann"})).status == 429
    assert (await app.ask({"user": "bob"})).status == 200
    assert [decision.attempt.phone.e164 for decision in app.decisions] == [PHONE, PHONE]


async def test_a_look_up_that_does_not_end_sends_nothing() -> None:
    """The request waits for as long as for its body."""

    async def phone(fields: Fields) -> object:
        return await asyncio.get_running_loop().create_future()

    app = App(phone=phone, body_deadline=0.01)
    assert (await app.ask({})).status == 400
    assert app.read == []


async def test_graphql_passes_with_other_queries() -> None:
    """The number stands in the variables of one mutation."""
    app = App(phone="json:variables.phone", **OPTIONAL)
    for body in (
        {"query": "{ products { id } }"},
        {"query": "query($id:ID!){product(id:$id){id}}", "variables": {"id": "7"}},
        {"query": "{ products { id } }", "variables": None},
    ):
        assert (await app.ask(body)).status == 200
    assert app.decisions == []
    mutation = {
        "query": "mutation($phone:String!){send(phone:$phone)}",
        "variables": {"phone": PHONE},
    }
    assert [(await app.ask(mutation)).status for _ in range(2)] == [200, 429]


@pytest.mark.parametrize(
    ("when", "sends", "passes"),
    [
        ("json:channel == 'sms'", [{"channel": "sms"}], [{"channel": "email"}, {"channel": 7}]),
        ('json:channel=="sms"', [{"channel": "sms"}], [{"channel": "email"}]),
        (
            "identifier.type != 'email'",
            [{"identifier": {"type": "phone"}}],
            [{"identifier": {"type": "email"}}],
        ),
        (
            "json:dry != true",
            [{"dry": False}, {"dry": "true"}, {"dry": 1}],
            [{"dry": True}],
        ),
        ("json:step == 2", [{"step": 2}, {"step": "2"}], [{"step": 1}, {"step": 3}]),
        ("json:step != 1", [{"step": 2}, {"step": "1"}, {"step": True}], [{"step": 1}]),
        (lambda fields: fields.get("channel") == "sms", [{"channel": "sms"}], [{"channel": "x"}]),
    ],
)  # fmt: skip
async def test_a_policy_says_which_requests_send(
    when: Any, sends: list[dict[str, Any]], passes: list[dict[str, Any]]
) -> None:
    """The others pass, with or without a number."""
    app = App(when=when)
    for body in passes:
        assert (await app.ask({**body, "phone": PHONE})).status == 200
        assert (await app.ask(body)).status == 200
    assert app.decisions == []
    for i, body in enumerate(sends):
        assert (await app.ask({**body, "phone": f"+44740012345{i}"})).status == 200
    assert len(app.decisions) == len(sends)


@pytest.mark.parametrize("value", ["SMS", " sms ", "ＳＭＳ", "", None, [], {}, ["email"], 1.5])
async def test_in_doubt_it_sends(value: object) -> None:
    """An app that minds no case, or has ``sms`` for a default, is no way around."""
    for body in ({"phone": PHONE, "channel": value}, {"phone": PHONE}):
        app = App(when="json:channel == 'sms'")
        await app.ask(body)
        assert len(app.decisions) == 1


@pytest.mark.parametrize("value", ["Email", "email ", "", None, ["email"]])
async def test_not_equal_passes_with_exactly_that(value: object) -> None:
    """Everything else is guarded."""
    app = App(when="json:channel != 'email'")
    await app.ask({"phone": PHONE, "channel": value})
    assert len(app.decisions) == 1


async def test_what_when_reads_is_unambiguous_too() -> None:
    """Or the guard and the app would go by two values."""
    app = App(when="json:channel == 'sms'")
    body = b'{"channel": "sms", "channel": "email", "phone": "+447400123456"}'
    assert (await app.ask(body)).status == 400
    assert app.read == []


@pytest.mark.parametrize(
    "when",
    [
        "",
        "phone",
        "json: == 'x'",
        "x == y",
        "x = 'y'",
        "x == 'y' and z == 'y'",
        7,
        "body:x == 'y'",
        "x == 1.5",
    ],
)
def test_a_condition_that_means_nothing_is_refused(when: object) -> None:
    """When the policy is made."""
    with pytest.raises(PolicyError, match=r"^when: expected"):
        Policy(send="/otp", when=when)


def test_a_condition_may_come_from_a_file() -> None:
    """As may all of this."""
    policy = Policy.from_toml(
        'send = "/otp"\nphone_optional = true\nplain_digits = true\n'
        "when = \"json:channel == 'sms'\"\n"
    )
    assert (policy.phone_optional, policy.plain_digits) == (True, True)
    assert condition(policy.when)(Fields(request(), b'{"channel": "voice"}', {})) is False


# Several numbers


async def test_each_number_of_a_list_is_decided_about() -> None:
    """And each is charged."""
    app = App()
    assert (await app.ask({"phone": [PHONE, OTHER]})).status == 200
    assert [d.attempt.phone.e164 for d in app.decisions] == [PHONE, OTHER]
    for phone in (PHONE, OTHER):
        assert (await app.ask({"phone": phone})).status == 429


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("phone", {"phone": [PHONE, [OTHER]]}),
        ("phone", [{"phone": PHONE}, {"phone": OTHER}]),
        (
            "json:variables.phone",
            [{"variables": {"phone": PHONE}}, {"variables": {"phone": OTHER}}],
        ),
        ("json:to.phone", {"to": [{"phone": PHONE}, {"phone": OTHER}]}),
        (lambda fields: [PHONE, OTHER], {}),
    ],
)
async def test_a_batch_is_a_list_of_numbers(field: Any, body: Any) -> None:
    """Wherever on the way to the number the list stands."""
    app = App(phone=field)
    assert (await app.ask(body)).status == 200
    assert [d.attempt.phone.e164 for d in app.decisions] == [PHONE, OTHER]


async def test_the_strictest_answers_and_what_was_not_sent_is_not_kept() -> None:
    """One refused number refuses the request; the money of the others comes back."""

    def no_other(attempt: Attempt) -> Finding | None:
        refused = attempt.phone.e164 == OTHER
        return Finding("no_other", Action.BLOCK, "OTHER") if refused else None

    app = App(rules=(no_other,))
    assert (await app.ask({"phone": [PHONE, OTHER]})).status == 403
    assert sorted(d.action for d in app.decisions) == [Action.ALLOW, Action.BLOCK]
    assert app.read == []


async def test_a_shadow_about_one_of_them_silences_all() -> None:
    """The app answers, and its sender sends to none."""

    def shadows_other(attempt: Attempt) -> Finding | None:
        shadowed = attempt.phone.e164 == OTHER
        return Finding("shadows_other", Action.SHADOW, "OTHER") if shadowed else None

    app = App(rules=(shadows_other,))
    await Guard(Policy(send="/")).assess(make_attempt(PHONE))  # somebody else's, not sent yet
    assert (await app.ask({"phone": PHONE})).status == 200  # shows that its sender is wrapped
    for numbers in ([PHONE, OTHER], [OTHER, PHONE]):
        assert (await app.ask({"phone": numbers})).status == 200
    assert app.sent == [PHONE]


async def test_the_same_number_twice_is_two_messages() -> None:
    """So its own limit refuses the second, and with it the request."""
    app = App()
    assert (await app.ask({"phone": [PHONE, PHONE]})).status == 429


async def test_a_batch_is_bounded() -> None:
    """Nobody has one decided about for ever."""
    numbers = [f"+4474001234{i:02}" for i in range(MAX_NUMBERS + 1)]
    app = App()
    assert (await app.ask({"phone": numbers})).status == 422
    assert app.decisions == []
    assert (await app.ask({"phone": numbers[1:]})).status == 200


async def test_one_number_that_cannot_be_read_refuses_the_batch() -> None:
    """None is passed over, unless it is absent and may be."""
    for numbers in ([PHONE, "x"], [PHONE, None], [PHONE, ""]):
        app = App()
        assert (await app.ask({"phone": numbers})).status == 422
        assert app.decisions == []
    app = App(**OPTIONAL)
    assert (await app.ask([{"phone": PHONE}, {"email": "ann@example.org"}])).status == 200
    assert len(app.decisions) == 1


async def test_codes_go_with_their_numbers() -> None:
    """One for all, or one for each."""
    for body in (
        {"code": 44, "phone": ["7400123456", "7911123456"]},
        {"code": ["44", "+44"], "phone": ["7400123456", "7911123456"]},
    ):
        app = App(code="code")
        assert (await app.ask(body)).status == 200
        assert [d.attempt.phone.e164 for d in app.decisions] == [PHONE, OTHER]
    app = App(code="code", region="FR")
    assert (await app.ask({"code": ["44"], "phone": ["7400123456", "7911123456"]})).status == 422
    batch = [{"code": "44", "phone": "7400123456"}, {"code": "44", "phone": "7911123456"}]
    assert (await app.ask(batch)).status == 200
    assert [d.attempt.phone.e164 for d in app.decisions] == [PHONE, OTHER]


async def test_a_provider_that_is_down_gives_all_of_them_back() -> None:
    """As it does for one: an hour with money for two numbers has it again."""
    numbers = [f"+44740012345{i}" for i in range(4)]
    for status, then in ((503, 503), (200, 429)):
        app = App(
            status=status,
            rules=(Budget(name="hour", day=12, hour=2, month=99, reserved=0, challenge=1),),
            price_overrides={"GB": 1.0},
            daily_budget=1e6,
            refund_share=1.0,
        )
        if status == 503:
            app.send = lambda _phone: None  # the app gives up before it sends
        assert (await app.ask({"phone": numbers[:2]})).status == status
        assert (await app.ask({"phone": numbers[2:]})).status == then


async def test_a_refused_batch_gives_back_the_money_of_what_was_allowed() -> None:
    """Or a stranger would empty the budget with requests of which one number is refused."""

    def no_other(attempt: Attempt) -> Finding | None:
        refused = attempt.phone.e164 == OTHER
        return Finding("no_other", Action.BLOCK, "OTHER") if refused else None

    hour = Budget(name="hour", day=12, hour=1, month=99, reserved=0, challenge=1)
    app = App(
        rules=(hour, no_other),
        price_overrides={"GB": 1.0},
        daily_budget=1e6,
        refund_share=1.0,
    )
    assert (await app.ask({"phone": [PHONE, OTHER]})).status == 403
    await app.guard.settled()
    assert (await app.ask({"phone": PHONE})).status == 200
