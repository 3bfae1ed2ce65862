"""Each identity server's hook: signed as it signs, judged, sent or refused as it understands."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from pumpguard import Decision, Guard, Policy
from pumpguard.errors import IntakeError, StoreError
from pumpguard.intake.network import UnknownNetworks
from pumpguard.listeners import Listener, Recorded
from pumpguard.rules import Number, RateLimit
from pumpguard.senders import NotSent, SendUnknown
from pumpguard.serve import BearerTokens, Service
from pumpguard.serve.hooks import Hook, Hooks
from pumpguard.serve.hooks.kinds import KINDS, Kind
from pumpguard.store.base import Store
from pumpguard.store.memory import MemoryStore
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.testing import FakeClock
from tests.asgi import Reply, call, request
from tests.conftest import PATIENT
from tests.serve.hooks.servers import ADDRESS, SECRET, SERVERS, TAKEN, Server

PHONE = "+447400123456"
TEXT = "{code} is your code."

each = pytest.mark.parametrize("server", SERVERS, ids=[server.name for server in SERVERS])


class Heard(Listener):
    """Keeps the decisions."""

    name = "heard"

    def __init__(self, decisions: list[Decision]) -> None:
        self._decisions = decisions

    def decided(self, recorded: Recorded) -> None:
        self._decisions.append(recorded.decision)


class Shop:
    """A service with hooks for all servers; ``sent`` is what went out."""

    def __init__(self, clock: FakeClock, tokens: Path, store: Store) -> None:
        self.clock, self.sent = clock, list[tuple[str, str]]()
        self.raises: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()
        policy = Policy(
            send="/v1/assess",
            settled=True,
            rules=[
                RateLimit(name="phone_limit", by="phone", limits="2/hour"),
                RateLimit(name="hidden", by="network", limits="3/hour", action="shadow"),
                Number(name="number"),
            ],
        )
        self.guard = Guard(policy, store, clock=clock, networks=UnknownNetworks())
        hooks = [
            Hook(kind=KINDS[each.name], secret=each.secret, text=TEXT, path=f"/hooks/{each.name}")
            for each in SERVERS
        ]
        routes = Hooks(self.guard, self.send, hooks, clock).routes
        self.service = Service(self.guard, BearerTokens(tokens), routes=routes)

    async def send(self, phone: str, text: str) -> str:
        """The provider."""
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.raises is not None:
            raise self.raises
        self.sent.append((phone, text))
        return "SM" + "0" * 32

    async def post(self, server: Server, body: bytes, headers: dict[str, str]) -> Reply:
        scope = request("POST", f"/hooks/{server.name}", content_type=None, headers=headers)
        return await call(self.service, scope, body)

    async def ask(self, server: Server, phone: str = PHONE, n: int = 0) -> Reply:
        """The server's ``n``-th hook about this number."""
        return await self.post(server, *server.post(phone, self.clock(), args={"code": str(n)}))


@pytest.fixture
async def shop(clock: FakeClock, tokens: Path) -> AsyncIterator[Shop]:
    """One over memory."""
    shop = Shop(clock, tokens, MemoryStore())
    yield shop
    await shop.guard.aclose()


REFERENCE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}")

SHOWN = {"supabase", "logto", "auth0", "fusionauth", "better-auth", "keycloak"}
"""Servers whose answers have room for a reference."""


def said(reply: Reply) -> tuple[int, object]:
    """Status and JSON, without a reference; of a problem its status alone."""
    problem = reply.headers["content-type"] == "application/problem+json"
    text = re.sub(rf" Reference: {REFERENCE.pattern}\.", "", reply.body.decode())
    return reply.status, None if problem else json.loads(text)


def references(reply: Reply) -> list[str]:
    """Those that an answer has."""
    return REFERENCE.findall(reply.body.decode())


@each
async def test_a_code_goes_out(shop: Shop, server: Server) -> None:
    """To the canonical number, with the server's text or with ours around its code."""
    assert said(await shop.ask(server)) == server.sent
    assert shop.sent == [(PHONE, server.text)]


@each
async def test_a_refusal_is_shown_as_the_server_can(shop: Shop, server: Server) -> None:
    """Nothing goes out; the person is told to wait, or to check the number."""
    for n in range(2):
        await shop.ask(server, n=n)
    assert said(await shop.ask(server, n=3)) == server.throttled
    for phone in ("+448712345678", "+4412"):  # a premium number, and none
        assert said(await shop.ask(server, phone)) == server.blocked
    assert len(shop.sent) == 2


@each
async def test_a_refusal_has_a_reference(shop: Shop, server: Server) -> None:
    """Where the server's answer has room for it; that of its event, and the same for the same
    hook."""
    decisions = list[Decision]()
    shop.guard.listen(Heard(decisions))
    for n in range(2):
        await shop.ask(server, n=n)
    body, headers = server.post(PHONE, shop.clock(), args={"code": "3"})
    found = [references(await shop.post(server, body, headers)) for _ in range(2)]
    refused = [each.reference for each in decisions if not each.allowed]
    assert len(refused) == 1
    assert found == [refused if server.name in SHOWN else []] * 2


@each
async def test_a_shadow_is_shown_as_success(shop: Shop, server: Server) -> None:
    """Where the server says whose address it is."""
    answers = [await shop.ask(server, f"+44740012345{n}") for n in range(5)]
    assert [said(reply) for reply in answers] == [server.sent] * 5
    assert [references(reply) for reply in answers] == [[]] * 5
    assert len(shop.sent) == (3 if server.address else 5)


@each
async def test_the_provider_refuses(shop: Shop, server: Server) -> None:
    """Then nothing was sent, and the limit is as before; if nobody knows, it counts as sent."""
    shop.raises = NotSent("twilio", 21211)
    for n in range(3):
        assert said(await shop.ask(server, n=n)) == server.failed
        await shop.guard.settled()
    shop.raises = SendUnknown("twilio: ReadTimeout")
    assert [said(await shop.ask(server, n=n)) for n in range(5, 8)] == [
        server.sent, server.sent, server.throttled,
    ]  # fmt: skip


@each
async def test_a_hook_sent_twice_is_one_message(shop: Shop, server: Server) -> None:
    """While the first is on its way, and after it; what was answered is answered again."""
    body, headers = server.post(PHONE, shop.clock())
    shop.gate = asyncio.Event()
    both = [asyncio.ensure_future(shop.post(server, body, headers)) for _ in range(2)]
    await asyncio.wait_for(shop.reached.wait(), PATIENT)
    shop.gate.set()
    answers = [said(reply) for reply in await asyncio.gather(*both)]
    answers.append(said(await shop.post(server, body, headers)))
    assert answers == [server.sent] * 3
    assert len(shop.sent) == 1
    assert (await shop.guard.assess(shop.guard.attempt(PHONE))).allowed  # one of two was counted
    assert not (await shop.guard.assess(shop.guard.attempt(PHONE))).allowed


async def test_zitadel_tries_again_under_another_name(shop: Shop) -> None:
    """Its body says then that it is another try: it is the same hook all the same. Another code is
    another hook."""
    zitadel = SERVERS[4]
    codes = iter(("561166", "561166", "561167"))
    for event in (
        "notification.requested",
        "notification.retry.requested",
        "notification.requested",
    ):
        context = {"recipientPhoneNumber": PHONE, "eventType": event}
        shop.clock.advance(20)
        more = {"contextInfo": context, "args": {"code": next(codes)}}
        assert said(await shop.post(zitadel, *zitadel.post(PHONE, shop.clock(), **more))) == TAKEN
    assert len(shop.sent) == 2


@each
async def test_a_server_that_hangs_up_and_tries_again(shop: Shop, server: Server) -> None:
    """The message is on its way all the same, and is not sent a second time."""
    body, headers = server.post(PHONE, shop.clock())
    shop.gate = asyncio.Event()
    impatient = asyncio.ensure_future(shop.post(server, body, headers))
    await asyncio.wait_for(shop.reached.wait(), PATIENT)
    impatient.cancel()
    again = asyncio.ensure_future(shop.post(server, body, headers))
    await asyncio.sleep(0.01)
    shop.gate.set()
    assert said(await again) == server.sent
    assert len(shop.sent) == 1


async def test_two_processes_are_sent_one_hook(
    clock: FakeClock, tokens: Path, valkey_url: str, name: str
) -> None:
    """As by a load balancer: the second finds what came of it at the first."""
    from pumpguard.store.redis import RedisStore

    server = SERVERS[0]
    here, there = (Shop(clock, tokens, RedisStore(valkey_url, name=name)) for _ in range(2))
    body, headers = server.post(PHONE, clock())
    here.gate = asyncio.Event()
    first = asyncio.ensure_future(here.post(server, body, headers))
    await asyncio.wait_for(here.reached.wait(), PATIENT)
    second = asyncio.ensure_future(there.post(server, body, headers))
    await asyncio.sleep(0.1)
    here.gate.set()
    assert [said(await first), said(await second)] == [server.sent] * 2
    assert (len(here.sent), len(there.sent)) == (1, 0)
    for shop in (here, there):
        await shop.guard.aclose()


@each
@pytest.mark.parametrize("change", ["body", "signature", "missing", "twice", "other"])
async def test_what_is_not_signed_moves_nothing(shop: Shop, server: Server, change: str) -> None:
    """A forged hook is refused before it is read; nothing is counted."""
    body, headers = server.post(PHONE, shop.clock())
    proof = next(name for name in headers if name.endswith(("signature", "authorization")))
    lines = list(headers.items())
    match change:
        case "body" if KINDS[server.name].signed:
            body = body.replace(b"123456", b"123457").replace(b"561166", b"561167")
        case "signature" | "body":
            right = headers[proof]
            lines = [*[each for each in lines if each[0] != proof], (proof, right[:-4] + "AAAA")]
        case "missing":
            lines = [each for each in lines if each[0] != proof]
        case "twice":
            lines.append((proof, headers[proof]))
        case "other":
            other = next(each for each in SERVERS if each.sign is not server.sign)
            lines = list(other.sign(body, int(shop.clock())).items())
    scope = request("POST", f"/hooks/{server.name}", content_type=None, headers=lines)
    assert (await call(shop.service, scope, body)).status == 401
    assert shop.sent == []
    for _ in range(2):
        assert (await shop.guard.assess(shop.guard.attempt(PHONE))).allowed


@each
@pytest.mark.parametrize("late", [-301, 301, 86_400])
async def test_a_replay_is_refused(shop: Shop, server: Server, late: int) -> None:
    """Five minutes to either side; where the server signs a time."""
    body, headers = server.post(PHONE, shop.clock() + late)
    timed = any("timestamp" in name or "zitadel" in name for name in headers)
    assert (await shop.post(server, body, headers)).status == (401 if timed else 200)


@each
@pytest.mark.parametrize(
    "wrong", [b"", b"{", b"[]", b"null", b'{"to": 7, "phone": 7, "phoneNumber": []}', b'"x"']
)
async def test_what_is_no_hook_is_said(shop: Shop, server: Server, wrong: bytes) -> None:
    """Signed, and yet not as agreed."""
    reply = await shop.post(server, wrong, dict(server.sign(wrong, int(shop.clock()))))
    assert reply.status in (400, 422)
    assert shop.sent == []


@pytest.mark.parametrize(
    ("server", "member"),
    [
        (SERVERS[1], b'"to": "+447400123457"'),
        (SERVERS[1], b'"payload": {"code": "1"}'),
        (SERVERS[3], b'"type": "Voice"'),
    ],
)
async def test_ambiguous_hooks_are_refused(shop: Shop, server: Server, member: bytes) -> None:
    """A name twice; and a voice call is no text message."""
    body, _ = server.post(PHONE, shop.clock())
    if b"Voice" in member:
        body = body.replace(b'"type": "SMS"', member)
    else:
        body = body[:-1] + b", " + member + b"}"
    reply = await shop.post(server, body, dict(server.sign(body, int(shop.clock()))))
    assert reply.status in (400, 422)
    assert shop.sent == []


async def test_a_hook_gives_no_way_into_the_rest(shop: Shop) -> None:
    """Its secret is no token of the service."""
    headers = {"authorization": f"Bearer {SECRET}", "content-type": "application/json"}
    scope = request("POST", "/v1/assess", content_type=None, headers=headers)
    assert (await call(shop.service, scope, json.dumps({"phone": PHONE}).encode())).status == 401
    assert ADDRESS not in repr(scope)


class LateClaims(MemoryOverrides):
    """Too slow to hear of the first hook, and then itself again."""

    late = True

    async def claim(self, what: str, seconds: int) -> bool:
        if self.late:
            self.late = False
            raise StoreError("too late")
        return await super().claim(what, seconds)


class LateAnswers(MemoryStore):
    """Too slow to hear what came of the first hook, and then itself again."""

    late = True

    async def remember(self, name: str, text: str, seconds: int, at: float | None = None) -> None:
        if self.late:
            self.late = False
            raise StoreError("too late")
        await super().remember(name, text, seconds, at)


@each
@pytest.mark.parametrize("late", ["claim", "answer"])
async def test_a_store_that_is_slow_for_a_moment(
    clock: FakeClock, tokens: Path, server: Server, late: str
) -> None:
    """What it has not heard of is remembered here: the same hook is still one message."""
    store = LateAnswers() if late == "answer" else MemoryStore()
    if late == "claim":
        store.overrides = LateClaims()
    shop = Shop(clock, tokens, store)
    body, headers = server.post(PHONE, clock())
    assert [said(await shop.post(server, body, headers)) for _ in range(2)] == [server.sent] * 2
    assert len(shop.sent) == 1
    await shop.guard.aclose()


@each
async def test_a_sender_that_fails_by_itself(
    shop: Shop, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said with its traceback; nothing was sent, and the same hook sends nothing either."""
    shop.raises = KeyError("a mistake in it")
    body, headers = server.post(PHONE, shop.clock())
    assert [said(await shop.post(server, body, headers)) for _ in range(2)] == [server.failed] * 2
    assert [r.exc_info is not None for r in caplog.records if "PG101" in r.message] == [True]
    await shop.guard.settled()
    shop.raises = None
    assert [said(await shop.ask(server, n=n)) for n in range(1, 3)] == [server.sent] * 2
    shop.raises = TimeoutError()
    assert said(await shop.ask(server, "+447400123457", n=4)) == server.sent


@each
async def test_a_plain_function_may_send(clock: FakeClock, tokens: Path, server: Server) -> None:
    """In a thread, under the same decision: a shadow calls it no more than an ``async`` one."""
    shop = Shop(clock, tokens, MemoryStore())
    calls = list[tuple[str, str]]()

    def send(phone: str, text: str) -> str:
        calls.append((phone, text))
        return "SM" + "0" * 32

    hook = Hook(kind=KINDS[server.name], secret=server.secret, text=TEXT, path="/hooks/plain")
    routes = Hooks(shop.guard, send, [hook], clock).routes
    service = Service(shop.guard, BearerTokens(tokens), routes=routes)
    for n in range(5):
        body, headers = server.post(f"+44740012345{n}", clock())
        scope = request("POST", "/hooks/plain", content_type=None, headers=headers)
        assert said(await call(service, scope, body)) == server.sent
    assert len(calls) == (3 if server.address else 5)
    await shop.guard.aclose()


async def test_a_function_may_return_what_is_to_be_awaited(clock: FakeClock, tokens: Path) -> None:
    """As a plain function does that hands on to an ``async`` one."""
    shop, sent = Shop(clock, tokens, MemoryStore()), list[str]()

    async def later(phone: str) -> None:
        sent.append(phone)

    server = SERVERS[0]
    hook = Hook(kind=KINDS[server.name], secret=server.secret, text=TEXT, path="/hooks/plain")
    routes = Hooks(shop.guard, lambda phone, _: later(phone), [hook], clock).routes
    service = Service(shop.guard, BearerTokens(tokens), routes=routes)
    body, headers = server.post(PHONE, clock())
    scope = request("POST", "/hooks/plain", content_type=None, headers=headers)
    assert said(await call(service, scope, body)) == server.sent
    assert sent == [PHONE]
    await shop.guard.aclose()


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_a_hook_without_anything_to_send_is_said(kind: Kind) -> None:
    """It names the member that is missing."""
    found: dict[str, Any] = {}
    *way, last = kind.phone[0].split(".")
    inner = found
    for name in way:
        inner = inner.setdefault(name, {})
    inner[last] = PHONE
    with pytest.raises(IntakeError) as raised:
        kind.read(found)
    assert (kind.text or kind.code)[0] in str(raised.value)
