"""Verifications are heard however an app tells them; and where none is, nobody pays for it."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pumpguard import Guard, Policy, PolicyError, PumpGuardMiddleware
from pumpguard.decision import Decision
from pumpguard.intake.fields import Fields
from pumpguard.intake.network import UnknownNetworks
from pumpguard.intake.phone import canonical
from pumpguard.observations.crowd import ENOUGH
from pumpguard.observations.hearing import NEVER_WRONG
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import FakeClock, SimulatedHuman
from tests.asgi import FORM, JSON, Reply, call, request

PHONE, OTHER = "+447400123456", "+447400123457"


class App:
    """Sends codes and takes them; ``answer`` is what its verify route says."""

    def __init__(self, answer: Response | None = None, **sent: str) -> None:
        self.answer = answer or JSONResponse({"ok": True})
        self.sent = sent
        routes = [Route("/otp/send", self.send, methods=["POST"])]
        routes.append(Route("/otp/verify", self.verify, methods=["POST"]))
        self.app = Starlette(routes=routes)

    async def send(self, request: Request) -> Response:
        phone = (await request.json())["phone"]
        response = JSONResponse({"flow_id": f"f{phone}"}, headers=self.sent)
        if "cookie" in self.sent:
            response.set_cookie("session", f"s{phone}")
        return response

    async def verify(self, request: Request) -> Response:
        await request.body()
        return self.answer


class Visit:
    """One app behind one guard; more processes are more visits with the same store and name."""

    def __init__(self, app: App, store: str = "memory://", **policy: Any) -> None:
        self.decisions: list[Decision] = []
        settings = {"send": "/otp/send", "verify": "/otp/verify", "home": ["GB"], "deadline": 5.0}
        self.guard = Guard(
            Policy(**{**settings, **policy}), store, networks=UnknownNetworks(),
            on_decision=self.decisions.append,
        )  # fmt: skip
        self.app = PumpGuardMiddleware(app.app, guard=self.guard)

    async def send(self, phone: str = PHONE) -> Reply:
        body = json.dumps({"phone": phone}).encode()
        return await call(self.app, request(path="/otp/send"), body)

    async def verify(
        self,
        body: str,
        content_type: str = JSON,
        headers: Mapping[str, str] | None = None,
        query: str = "",
    ) -> None:
        scope = request(
            path="/otp/verify", content_type=content_type, headers=headers or {}, query=query
        )
        await call(self.app, scope, body.encode())
        await self.guard.settled()

    async def knows(self, phone: str = PHONE) -> bool:
        """Whether the number is known when it comes again."""
        await self.send(phone)
        return self.decisions[-1].known


async def test_a_flow_from_the_answer_finds_the_number_in_another_process(
    name: str, valkey_url: str
) -> None:
    """The process that sends and the one that verifies share the store alone."""
    policy = {"flow": "json:flow_id", "name": name, "secret": "s" * 16}
    sends, verifies = (Visit(App(), valkey_url, **policy) for _ in range(2))
    await sends.send()
    await verifies.verify(json.dumps({"flow_id": "nobody's", "code": "1"}))
    assert not await sends.knows()
    await verifies.verify(json.dumps({"flow_id": f"f{PHONE}", "code": "1"}))
    assert await sends.knows()
    assert not await sends.knows(OTHER)
    for visit in (sends, verifies):
        await visit.guard.aclose()


async def test_digits_without_a_plus_are_the_number_that_a_message_is_open_to() -> None:
    """Not the one that they would be in a home country: most digits are valid in Germany."""
    visit = Visit(App(), home=["DE", "GB"])
    await visit.send()
    await visit.verify('{"phone": "447400123456"}')
    assert await visit.knows()
    await visit.send("+4915123456789")
    await visit.verify('{"phone": "015123456789"}')
    assert await visit.knows("+4915123456789")


async def test_a_code_by_email_teaches_nothing_and_is_no_fault() -> None:
    """Where the route takes both."""
    visit = Visit(App(), phone_optional=True)
    await visit.verify('{"phone": "ann@example.org"}')
    assert visit.guard.observations.snapshot()["misunderstood"] == {}


async def test_one_route_may_send_and_verify() -> None:
    """As with GraphQL; its policy says which requests send, and what a right code looks like."""
    one: dict[str, Any] = {"send": "/otp/send", "verify": "/otp/send"}
    says: dict[str, Any] = {"when": _has_no_code, "verified_when": f"json:flow_id == 'f{PHONE}'"}
    for name in says:
        with pytest.raises(PolicyError, match=name):
            Policy(**one, **{other: value for other, value in says.items() if other != name})
    visit = Visit(App(), **one, **says)
    await visit.send()
    body = json.dumps({"phone": PHONE, "code": "123456"}).encode()
    assert (await call(visit.app, request(path="/otp/send"), body)).status == 200
    assert len(visit.decisions) == 1
    assert await visit.knows()


def _has_no_code(fields: Fields) -> bool:
    return fields.get("json:code") is None


async def test_a_flow_may_be_a_session_cookie_of_the_app() -> None:
    """Set by the answer to the send, and named by a form without a number."""
    visit = Visit(App(cookie="yes"), flow="cookie:session")
    await visit.send()
    await visit.verify("code=1", FORM, {"cookie": f"session=s{PHONE}"})
    assert await visit.knows()


@pytest.mark.parametrize("field", ["header:x-flow", "query:flow"])
async def test_a_flow_may_be_in_a_header_or_in_a_redirection_of_the_answer(field: str) -> None:
    """A redirection to the page where the code is entered often names it."""
    found = {"x-flow": f"f{PHONE[1:]}", "location": f"/code?flow=f{PHONE[1:]}&lang=en"}
    visit = Visit(App(None, **found), flow=field)
    await visit.send()
    flow = f"f{PHONE[1:]}"
    await visit.verify("code=1", FORM, {"x-flow": flow}, query=f"flow={flow}")
    assert await visit.knows()


@pytest.mark.parametrize("line", ["", "session=", "session=s; bad, name=1", "other=s"])
async def test_an_answer_whose_cookies_say_nothing_gives_out_no_flow(line: str) -> None:
    """Whoever then verifies by a number of their own is known all the same."""
    visit = Visit(App(None, **{"set-cookie": line}), flow="cookie:session")
    await visit.send()
    await visit.verify("code=1", FORM, {"cookie": "session=s"})
    assert not await visit.knows(OTHER)
    await visit.verify(json.dumps({"phone": OTHER}))
    assert await visit.knows(OTHER)


async def test_a_flow_may_be_a_cookie_of_the_guards_own() -> None:
    """For a server-rendered app: it is new at each message, and its number is not in it."""
    home = RedirectResponse("/home", 303)
    visit = Visit(App(home), flow="cookie", verified_when="location:/home")
    first = (await visit.send()).headers["set-cookie"]
    second = (await visit.send(OTHER)).headers["set-cookie"]
    assert "HttpOnly" in first
    assert "7400" not in first
    assert first != second
    await visit.verify("code=1", FORM, {"cookie": first.split(";")[0]})
    assert await visit.knows()
    assert not await visit.knows(OTHER)


async def test_refused_requests_get_no_cookie() -> None:
    """Nothing was sent that a code could be entered for."""
    visit = Visit(App(), flow="cookie")
    await visit.send()
    refused = await visit.send()
    assert (refused.status, "set-cookie" in refused.headers) == (429, False)


@pytest.mark.parametrize(
    ("policy", "answer", "body"),
    [
        ({}, None, {"phone": "447400123456"}),
        ({}, None, {"phone": "07400 123456"}),
        ({"home": [], "region": "GB"}, None, {"phone": "07400123456"}),
        ({"verified_when": "location:/home"}, RedirectResponse("/home", 302), {"phone": PHONE}),
        ({"verified_when": "json:valid == true"}, JSONResponse({"valid": True}), {"phone": PHONE}),
    ],
)
async def test_it_hears(policy: dict[str, Any], answer: Response | None, body: object) -> None:
    """Numbers as apps write them, and successes as apps say them."""
    visit = Visit(App(answer), **policy)
    await visit.send()
    await visit.verify(json.dumps(body))
    assert await visit.knows()


async def test_a_wrong_code_that_is_answered_200_teaches_nothing() -> None:
    """Where the policy says what success is."""
    visit = Visit(App(JSONResponse({"valid": False})), verified_when="json:valid == true")
    await visit.send()
    await visit.verify(json.dumps({"phone": PHONE}))
    assert not await visit.knows()
    assert visit.guard.observations.hearing.misunderstood == {"wrong_code": 1}


async def test_what_is_overheard_counts_only_for_a_message_on_its_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Else an app that answers 200 to whatever is entered would make any number known."""
    visit = Visit(App())
    await visit.send()
    for n in range(25):
        await visit.verify(json.dumps({"phone": f"+447400{200_000 + 7_919 * n}"}))
    assert not await visit.knows("+447400200000")
    assert [each for each in caplog.messages if each.startswith("PG076")]
    visit.guard.verified("+447400207919")  # the app's own word
    await visit.guard.settled()
    assert await visit.knows("+447400207919")


def somebodys(n: int) -> str:
    """Numbers as a crowd has them: of many ranges."""
    return f"+4474{n * 34_102_947 % 10**8:08}"


async def test_a_second_right_code_for_one_message_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One in ten mistypes the code. If that is answered like a right one, more codes are right than
    messages were sent; a second click here and there is no such thing."""
    for mistyped, lines in ((range(0, 100, 10), 1), (range(0, 100, 25), 0)):
        caplog.clear()
        visit = Visit(App(), rules={"country_limit": {"mode": "off"}})
        for n in range(100):
            body = json.dumps({"phone": somebodys(n)})
            await visit.send(somebodys(n))
            for _ in range(1 + (n in mistyped)):
                await visit.verify(body)
        assert len([each for each in caplog.messages if each.startswith("PG076")]) == lines
        assert not visit.guard.observations.hearing.distrusts  # it may be a second click


@pytest.mark.parametrize(
    ("first", "second", "told", "distrusted"),
    [
        ({"code": "111111"}, {"code": "222222"}, None, True),
        ({"input": {"pin": "1111"}}, {"input": {"pin": "2222"}}, None, True),
        ({"code": "111111"}, {"code": "111111"}, None, False),  # a second click
        ({"code": "1111", "at": "10:01:07"}, {"code": "1111", "at": "10:01:08"}, None, False),
        ({"code": "1111"}, {"code": "1111", "password": "secret"}, None, False),  # a second step
        ({"code": "111111"}, {"code": "222222"}, "2xx", False),
    ],
)
async def test_a_route_that_takes_two_codes_for_one_message_is_not_believed(
    first: object, second: object, told: str | None, distrusted: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    """One of them was wrong. From then on nobody is known by it, until the policy says what
    success is; the app's own word counts."""
    visit = Visit(App(), rules={"country_limit": {"mode": "off"}}, verified_when=told)
    for n in range(30):
        await visit.send(somebodys(n))
        for entered in (first, second) if n % 3 == 0 else (first,):
            await visit.verify(json.dumps({"phone": somebodys(n), "entered": entered}))
    hearing = visit.guard.observations.hearing
    assert hearing.distrusts is distrusted
    said = [each for each in caplog.messages if "No verification of the route" in each]
    assert len(said) == distrusted
    await visit.send(somebodys(100))
    await visit.verify(json.dumps({"phone": somebodys(100), "entered": first}))
    assert await visit.knows(somebodys(100)) is not distrusted
    visit.guard.verified(somebodys(100))
    await visit.guard.settled()
    assert await visit.knows(somebodys(100))


@pytest.mark.parametrize(("wrong", "told"), [(None, None), (401, None), (None, "2xx")])
async def test_a_route_that_never_says_no_is_said(
    wrong: int | None, told: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Of five hundred people somebody mistypes a code, even where phones fill it in. Where nobody
    has, it may be that whatever is entered is right, also by what ``verified_when`` says; one that
    says no is enough to know better. All are believed meanwhile."""
    hearing = Visit(App(), verified_when=told).guard.observations.hearing
    for n in range(NEVER_WRONG):
        assert not [each for each in caplog.messages if each.startswith("PG089")]
        if wrong is not None and n == NEVER_WRONG // 2:
            hearing.code_refused()
        assert hearing.believes(canonical(somebodys(n)))
        hearing.verified(is_open=True)
    said = [each for each in caplog.messages if each.startswith("PG089")]
    assert len(said) == (wrong is None)
    assert all(("verified_when= reads them" in each) is (told is not None) for each in said)


@pytest.mark.parametrize(
    ("wrong", "told", "counted"), [(None, None, False), (401, None, True), (None, "2xx", True)]
)
async def test_right_codes_for_one_range_alone_are_not_believed_for_ever(
    wrong: int | None, told: str | None, counted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Bots may enter anything there. A code that was wrong shows that the app looks at them."""
    app = App()
    visit = Visit(app, rules={"country_limit": {"mode": "off"}}, verified_when=told)
    for n in range(2 * ENOUGH):
        phone = f"+447400{200_000 + 7_919 * n}"
        await visit.send(phone)
        if wrong is not None and n == ENOUGH // 2:
            app.answer = JSONResponse({"error": "wrong"}, wrong)
            await visit.verify(json.dumps({"phone": phone}))
            app.answer = JSONResponse({"ok": True})
        await visit.verify(json.dumps({"phone": phone}))
    assert len([each for each in caplog.messages if each.startswith("PG089")]) == (not counted)
    assert await visit.knows(phone) is counted
    other = "+447911123456"  # of another range, as people are
    await visit.send(other)
    await visit.verify(json.dumps({"phone": other}))
    assert await visit.knows(other)


@pytest.mark.parametrize("where", ["memory", "valkey"])
def test_a_loop_for_each_request_loses_nothing(where: str, name: str, valkey_url: str) -> None:
    """Serverless: what is told behind the reply is told before the request ends."""
    store = valkey_url if where == "valkey" else "memory://"
    visit = Visit(App(), store, name=name)
    phones = [f"+447400{300_000 + 7_919 * n}" for n in range(5)]

    def alone(work: Any) -> Any:
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(work)
        finally:  # connections are closed, as the end of a process does; nothing more is told
            loop.run_until_complete(visit.guard.store.aclose())
            loop.close()

    def verify(phone: str) -> Any:
        body = json.dumps({"phone": phone}).encode()
        return call(visit.app, request(path="/otp/verify"), body)

    for phone in phones:
        alone(visit.send(phone))
        alone(verify(phone))
    assert [alone(visit.knows(phone)) for phone in phones] == [True] * 5
    assert visit.guard.observations.counts["outcomes_lost"] == 0


async def crowd(
    app: App,
    users: int,
    body: str,
    verify: str | None = "/otp/verify",
    number: Callable[[int], str] = somebodys,
    on_decision: Callable[[Decision], None] | None = None,
    **policy: Any,
) -> tuple[int, Guard]:
    """So many users, one every 20 s, who all enter their code at ``verify``; how many got one."""
    clock, got = FakeClock(), 0
    settings = {"send": "/otp/send", "verify": "/otp/verify", "home": ["GB"], "daily_budget": 600}
    guard = Guard(
        Policy(**{**settings, **policy}), clock=clock, networks=UnknownNetworks(),
        challenge=SimulatedHuman(), on_decision=on_decision,
    )  # fmt: skip
    middleware = PumpGuardMiddleware(app.app, guard=guard)
    for n in range(users):
        clock.advance(20)
        phone = number(n)
        client = (f"81.{n % 200 + 2}.{n // 200}.9", 1)
        said = json.dumps({"phone": phone}).encode()
        reply = await call(middleware, request(path="/otp/send", client=client), said)
        got += reply.status == 200
        if reply.status == 200 and verify is not None:
            said = body.replace("PHONE", phone).encode()
            await call(middleware, request(path=verify, client=client), said)
    return got, guard


@pytest.mark.parametrize(
    ("body", "answer"),
    [('{"flow": "fPHONE"}', None), ('{"phone": "PHONE"}', RedirectResponse("/home", 302))],
)
async def test_a_crowd_behind_a_deaf_guard_is_served_and_it_is_said(
    body: str, answer: Response | None, caplog: pytest.LogCaptureFixture
) -> None:
    """Hundreds verify and none is heard: at most the first few pay for it."""
    hearing, _ = await crowd(App(), 300, '{"phone": "PHONE"}')
    got, guard = await crowd(App(answer), 300, body)
    assert got >= hearing - 3
    assert guard.observations.hearing.deaf
    assert [each for each in caplog.messages if each.startswith("PG071")]


@pytest.mark.parametrize("elsewhere", [True, False])
async def test_where_nothing_reaches_the_verify_route_it_is_said_within_a_hundred(
    elsewhere: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Its path is wrong, and codes are entered past it; or nobody enters any."""
    where = "/v2/codes/check" if elsewhere else None
    served, guard = await crowd(App(), 100, "{}", where)
    assert [each for each in caplog.messages if each.startswith("PG071")]
    assert guard.observations.hearing.deaf
    assert served == 100


@pytest.mark.parametrize("home", [["GB"], []])
@pytest.mark.parametrize("number", ["+44740{}", "+3361{}", "+91981{}"])
async def test_until_the_first_is_heard_nobody_pays_for_rules_that_need_it(
    number: str, home: list[str]
) -> None:
    """At home or abroad, and whether a home is named or not: nobody knows whether none verifies or
    the guard is deaf."""
    served, guard = await crowd(
        App(), 200, "{}", None,
        number=lambda n: number.format(1_000_000 + 7_919 * n * 97 % 8_999_000), home=home,
    )  # fmt: skip
    assert guard.observations.hearing.deaf
    assert served >= 198


async def test_wrong_codes_switch_nothing_off() -> None:
    """A bot that enters nonsense is answered 401 every time: that is heard, and no success."""
    app = App(JSONResponse({"error": "wrong"}, 401))
    got, guard = await crowd(app, 200, '{"phone": "PHONE"}')
    assert not guard.observations.hearing.deaf
    assert got < 50


async def test_what_is_judged_meanwhile_is_recorded() -> None:
    """Each rule that needs verifications finds what it would, in monitor; the others refuse."""
    decisions: list[Decision] = []
    _, guard = await crowd(App(), 200, "{}", None, on_decision=decisions.append)
    found = {(f.rule, f.mode) for each in decisions[1:] for f in each.findings}
    needing = {rule.name for rule in guard.policy.chain if rule.needs_verifications}
    assert "home_credit" in needing
    assert ("home_credit", "monitor") in found
    assert {mode for rule, mode in found if rule in needing} == {"monitor"}
    again = [await guard.assess(guard.attempt(PHONE, "81.2.69.1")) for _ in range(2)]
    assert [each.allowed for each in again] == [True, False]


async def test_room_that_is_earned_is_there_until_the_first_is_heard() -> None:
    """Of an office's address ten times sixty an hour may be asked for, and no more."""
    clock = FakeClock()
    guard = Guard(
        Policy(send="/s", settled=True, home=["GB"], daily_budget=600), clock=clock,
        networks=UnknownNetworks(),
    )  # fmt: skip
    allowed = 0
    for n in range(1_400):
        clock.advance(2.5)
        decision = await guard.assess(guard.attempt(somebodys(n), "81.2.69.142"))
        allowed += decision.allowed
        await guard.settled()
    assert 1_100 <= allowed <= 1_250


async def test_the_first_verification_ends_it() -> None:
    """The rules bind again, in every process: the store knows that one was heard."""
    app = App()
    _, guard = await crowd(app, 40, '{"flow": "fPHONE"}')
    assert guard.observations.hearing.deaf
    clock = guard.reader._clock
    await guard.assess(guard.attempt(PHONE, "81.2.69.142"))
    guard.verified(PHONE)
    await guard.settled()
    assert not guard.observations.hearing.deaf
    again = Guard(guard.policy, guard.store, clock=clock, networks=UnknownNetworks())
    assert not again.observations.hearing.deaf
    for _ in range(5):
        again.reports.not_understood("number", "as before")
    await again.settled()
    await again.assess(again.attempt(OTHER, "81.2.69.143"))
    await again.settled()
    assert (again.observations.hearing.deaf, again.observations.hearing.arrives) == (False, True)


async def test_an_app_that_is_new_is_not_set_up_wrongly() -> None:
    """Its first verification ends what nobody had to be told of."""
    _, guard = await crowd(App(), 40, '{"phone": "PHONE"}')
    assert guard.observations.counts["verified"] == 40
    assert "PG071" not in {notice.code for _, notice in guard.notices.latest(100)}


async def test_what_one_use_hears_says_nothing_of_another() -> None:
    """A login that hears, beside a sign-up whose verify route is wrong, in one store."""
    store, clock = MemoryStore(), FakeClock()
    heard = []
    for use, told in (("login", True), ("signup", False), ("login", False)):
        policy = Policy(send="/s", settled=True, home=["GB"], use=use)
        guard = Guard(policy, store, clock=clock, networks=UnknownNetworks())
        clock.advance(120)
        await guard.assess(guard.attempt(PHONE, "81.2.69.142"))
        if told:
            guard.verified(PHONE)
        await guard.settled()
        heard.append(not guard.observations.hearing.deaf)
    assert heard == [True, False, True]


async def test_a_store_that_is_away_opens_nothing() -> None:
    """Whether one was ever heard is not known then, and an attacker may have seen to that."""
    policy = Policy(send="/s", settled=True, home=["GB"])
    guard = Guard(policy, "redis://127.0.0.1:1", networks=UnknownNetworks())
    await guard.assess(guard.attempt(PHONE, "81.2.69.142"))
    await guard.settled()
    assert not guard.observations.hearing.deaf
    await guard.aclose()


async def test_where_verifications_were_heard_before_their_end_is_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A release may have renamed the route. The rules stay as they are: with none heard, an attack
    on a quiet day looks alike, and must not switch them off."""
    _, guard = await crowd(App(), 5, '{"phone": "PHONE"}')
    clock = guard.reader._clock
    assert isinstance(clock, FakeClock)
    for hours, lines in ((12, 0), (13, 1)):
        clock.advance(hours * 3_600)
        again = Guard(guard.policy, guard.store, clock=clock, networks=UnknownNetworks())
        for _ in range(5):
            again.reports.not_understood("number", "as before")
        await again.settled()
        assert len([each for each in caplog.messages if each.startswith("PG071")]) == lines
        assert (again.observations.hearing.deaf, again.observations.hearing.arrives) == (
            False,
            not lines,
        )


async def test_an_answer_in_gzip_is_read() -> None:
    """As a compressing middleware inside the guard makes it, and no further than what is kept."""
    for body, heard in ((b'{"ok": true}', True), (b'{"ok": true}' + b" " * 10**6, False)):
        answer = Response(gzip.compress(body), headers={"content-encoding": "gzip"})
        visit = Visit(App(answer), verified_when="json:ok == true", name=f"gzip-{heard}")
        await visit.send()
        await visit.verify(json.dumps({"phone": PHONE}))
        assert visit.guard.observations.counts["verified"] == heard
        assert visit.guard.observations.hearing.misunderstood["answer"] == (not heard)
