"""One function guarded by itself: decided, refused and shadowed as by the middleware."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from pumpguard import Action, Attempt, Decision, Guard, IntakeError, Policy, PolicyError, sender
from pumpguard.challenges import Altcha
from pumpguard.errors import PumpGuardError
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from pumpguard.testing import SimulatedHuman
from tests.asgi import PHONE, Reply, call, pipelined, request, started
from tests.frameworks.guarded import ByCountry
from tests.per_route import views
from tests.wsgi.test_wsgi import Called

FRENCH, SWEDISH = "+33612345678", "+46701234567"


class Site:
    """An app with one guarded function, and what it sent."""

    def __init__(self, build: Callable[..., Any], **options: Any) -> None:
        self.outbox, self.decisions = list[str](), list[Decision]()
        self.fails = False
        rules = [ByCountry(), RateLimit(name="limit", by="phone", limits="2/hour")]
        settings: dict[str, Any] = {
            "send": "/send", "rules": rules, "deadline": 10, "secret": "a secret of this test",
        }  # fmt: skip
        policy = Policy(**settings, **options.pop("policy", {}))
        self.guard = Guard(
            policy,
            networks=UnknownNetworks(),
            challenge=SimulatedHuman(Altcha(policy)),
            on_decision=self.decisions.append,
            **options,
        )
        self.app = build(self.guard, sender(self._send))
        self.plain = build in views.WSGI

    def _send(self, phone: str) -> str:
        if self.fails:
            raise ValueError("the provider refuses this number")
        self.outbox.append(phone)
        return f"message-{len(self.outbox)}"

    async def ask(self, phone: str = PHONE, **headers: str) -> tuple[int, dict[str, str], bytes]:
        body = json.dumps({"phone": phone}).encode()
        if self.plain:
            environ = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
            called = await asyncio.to_thread(Called, self.app, body, PATH_INFO="/send", **environ)
            return int(called.status[:3]), called.headers, called.body
        lines = {name.replace("_", "-"): value for name, value in headers.items()}
        scope = request(path="/send", headers={**lines, "content-length": str(len(body))})
        reply: Reply = await call(self.app, scope, body)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        return reply.status, headers, reply.body

    async def begin(self) -> Site:
        """Some apps have to be started."""
        if type(self.app).__module__.startswith("blacksheep"):
            await self.app.start()
        if type(self.app).__module__.startswith("sanic"):
            self.life = await started(self.app)
        return self


@pytest.fixture(params=[*views.ASGI, *views.WSGI], ids=lambda build: build.__name__)
async def site(request: pytest.FixtureRequest) -> Site:
    return await Site(request.param).begin()


async def test_admitted_throttled_and_challenged(site: Site) -> None:
    """With the same answers as the middleware's; proof is accepted."""
    asked = [await site.ask() for _ in range(3)]
    assert [status for status, _, _ in asked] == [202, 202, 429]
    status, headers, body = asked[2]
    assert headers["content-type"].startswith("application/problem+json")
    assert json.loads(body)["retry_after"] == int(headers["retry-after"])
    status, _, body = await site.ask(FRENCH)
    assert (status, json.loads(body)["type"].rpartition("/")[2]) == (403, "challenge")
    assert json.loads(body)["challenge"]["challenge"]
    assert (await site.ask(FRENCH, x_sim_human="1"))[0] == 202
    assert site.outbox == [PHONE, PHONE, FRENCH]
    actions = [decision.action for decision in site.decisions]
    assert actions == [Action.ALLOW, Action.ALLOW, Action.THROTTLE, Action.CHALLENGE, Action.ALLOW]


async def test_a_shadow_is_silent(site: Site) -> None:
    """The function runs, its wrapped sender sends nothing, and the answer is the same."""
    real, shadowed = await site.ask(), await site.ask(SWEDISH)
    assert (real[0], real[2]) == (shadowed[0], shadowed[2])
    assert site.outbox == [PHONE]
    assert site.decisions[-1].action is Action.SHADOW


async def test_what_was_not_sent_is_given_back(site: Site) -> None:
    """The function raised: its message is not charged."""
    site.fails = True
    for _ in range(4):
        try:
            assert (await site.ask())[0] == 500
        except Exception as error:
            assert "provider" in str(error)  # noqa: PT017 - what each framework's server would log
    site.fails = False
    assert (await site.ask())[0] == 202


async def test_a_number_that_is_none_is_refused(site: Site) -> None:
    """As a problem, before the function."""
    status, headers, body = await site.ask("no number")
    assert (status, headers["content-type"].partition(";")[0]) == (422, "application/problem+json")
    assert json.loads(body)["type"].endswith("phone-number")
    assert site.outbox == []


async def test_the_next_request_of_a_connection_is_decided_about_by_itself() -> None:
    """FastAPI's dependencies end after the answer, and the next request is begun before."""
    site = await Site(views.fastapi).begin()
    body = json.dumps({"phone": PHONE}).encode()
    assert await pipelined(site.app, "/send", *[body] * 4) == [202, 202, 429, 429]
    assert site.outbox == [PHONE] * 2


async def test_on_refusal_answers() -> None:
    """With the app's own page."""

    def page(refused: Decision | IntakeError, request: Request) -> Response:
        return PlainTextResponse("Come back later.", 429, {"x-page": "1"})

    for build in (views.starlette, views.fastapi, views.flask):
        site = await Site(build, on_refusal=page).begin()
        status, headers, body = await site.ask(FRENCH)
        assert (status, headers["x-page"], body) == (429, "1", b"Come back later.")


async def test_a_policy_that_monitors_refuses_nothing() -> None:
    for build in (views.starlette, views.fastapi, views.flask):
        site = await Site(build, policy={"mode": "monitor"}).begin()
        statuses = [(await site.ask(phone))[0] for phone in (PHONE, PHONE, PHONE, FRENCH)]
        assert statuses == [202] * 4


async def test_facts_are_any_expression() -> None:
    """A session and a dimension of one's own, of the function's arguments."""
    decisions = list[Decision]()
    policy = Policy(
        send="/send", device="header:x-device", dimensions={"form": "json:form"},
        rules=[RateLimit(name="limit", by="session", limits="1/hour")],
    )  # fmt: skip
    guard = Guard(policy, networks=UnknownNetworks(), on_decision=decisions.append)

    @guard.protected(
        lambda request, ask: ask["phone"],
        session=lambda request, ask: ask["session"],
        form=lambda request, ask: "sign-up",
    )
    async def send(request: Request, ask: dict[str, str]) -> Response:
        return Response(status_code=202)

    asked = Request(request(headers={"x-device": "d1"}))
    one = await send(asked, {"phone": PHONE, "session": "s1"})
    two = await send(asked, {"phone": "+447400123457", "session": "s1"})
    assert (one.status_code, two.status_code) == (202, 429)
    attempt: Attempt = decisions[0].attempt
    assert (attempt.session, attempt.device, dict(attempt.extra)) == (
        "s1",
        "d1",
        {"form": "sign-up"},
    )


async def test_without_a_request_it_says_so() -> None:
    guard = Guard(Policy(send="/send"), networks=UnknownNetworks())

    @guard.protected(lambda phone: phone)
    async def send(phone: str) -> None:
        return

    with pytest.raises(PumpGuardError, match="request"):
        await send(PHONE)


async def test_under_the_same_guards_middleware_it_counts_once() -> None:
    """Both may stand there while an app moves from one to the other."""
    from pumpguard import PumpGuardMiddleware

    site = Site(views.starlette)
    site.app = PumpGuardMiddleware(site.app, guard=site.guard)
    assert [(await site.ask())[0] for _ in range(3)] == [202, 202, 429]
    assert len(site.decisions) == 3


def test_facts_are_those_of_the_policy() -> None:
    """A misspelt one is refused when the function is defined, in both forms."""
    guard = Guard(Policy(send="/send"), networks=UnknownNetworks())
    for guarded in (guard.protect, guard.protected):
        with pytest.raises(PolicyError, match=r"facts\.sesion: expected one of session, account"):
            guarded(lambda ask: ask, sesion=lambda ask: ask)


def test_the_number_comes_from_a_function() -> None:
    """The name of a field is refused when the function is defined: no request would be read."""
    guard = Guard(Policy(send="/send"), networks=UnknownNetworks())
    wrong: Any = "phone"
    for guarded in (guard.protect, guard.protected):
        with pytest.raises(PolicyError, match="phone: expected a function that gives it"):
            guarded(wrong)
