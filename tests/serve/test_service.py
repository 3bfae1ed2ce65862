"""The guard over HTTP: each route does what the method of `Guard` does, and nothing else."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from pumpguard import Action, Decision, Guard, Policy
from pumpguard.challenges import Altcha
from pumpguard.intake.network import UnknownNetworks
from pumpguard.ops.events.reading import reference as spelt
from pumpguard.outcomes import Ticket
from pumpguard.serve import BearerTokens, Service, answers
from pumpguard.serve.answers import decided
from pumpguard.shadow.current import current_request
from pumpguard.store.base import Answer, Question
from pumpguard.store.overrides import MemoryOverrides
from pumpguard.testing import SimulatedHuman, make_attempt
from tests.serve.conftest import PHONE, Client
from tests.serve.running import TOKEN
from tests.store.stand_in import TellsNothing


async def test_a_message_may_be_sent(client: Client) -> None:
    """The answer says whether, to which number, and by when."""
    reply = await client.post("/v1/assess", {"phone": "+44 7400 123456", "address": "81.2.69.142"})
    assert reply.status == 200
    found = reply.json
    assert (found["action"], found["allowed"], found["phone"]) == ("allow", True, PHONE)
    assert (found["retry_after"], found["degraded"]) == (None, False)
    assert found["expires"] == 1_700_003_600
    assert reply.headers["pumpguard-deadline"] == "1"
    assert reply.headers["cache-control"] == "no-store"


async def test_a_limit_refuses_and_says_when(client: Client) -> None:
    """Without a reason: a client may hand the answer on."""
    for _ in range(2):
        await client.assess()
    refused = await client.assess()
    assert (refused["action"], refused["allowed"], refused["ticket"]) == ("throttle", False, None)
    assert refused["retry_after"] == 3_600
    assert "phone_limit" not in str(refused)


async def test_a_refusal_has_a_reference(client: Client) -> None:
    """For the person, by which the event is found; who may have a code has none."""
    allowed = [await client.assess() for _ in range(2)]
    assert [each["reference"] for each in allowed] == [None, None]
    refused = await client.assess()
    assert spelt(refused["reference"]) == refused["reference"] == refused["id"]


async def test_a_shadow_has_no_reference(client: Client) -> None:
    """Nor an id that looks like one: handed on, it would be told from a message. Operators are
    told that of its event."""
    found = [await client.assess(f"+4474001234{n}", address="81.2.69.142") for n in range(50, 55)]
    assert [each["action"] for each in found] == ["allow"] * 4 + ["shadow"]
    assert {each["reference"] for each in found} == {None}
    assert {len(each["id"]) for each in found} == {16}
    explained = (await client.post("/v1/explain", {"id": found[-1]["id"]})).json
    assert spelt(explained["reference"]) == explained["reference"]


async def test_the_address_is_the_persons(client: Client) -> None:
    """And not that of the server that asks; a shadow is for the caller to act out."""
    phones = [f"+4474001234{n}" for n in range(50, 56)]
    here = [(await client.assess(phone, address="81.2.69.142"))["action"] for phone in phones]
    assert here == ["allow"] * 4 + ["shadow"] * 2
    assert (await client.assess(phones[-1], address="81.2.69.143"))["action"] == "allow"


async def test_the_decision_can_be_taken_to_where_it_is_sent(client: Client) -> None:
    """A Python worker takes it up by its token."""
    found = await client.assess()
    with client.guard.resume(found["token"]):
        request = current_request.get()
    assert request is not None
    assert str(request.action) == "allow"


async def test_several_in_one_request(client: Client) -> None:
    """Each in its place; a number that is none is wrong for itself alone."""
    asked = [{"phone": PHONE}, {"phone": "12"}, {"phone": PHONE, "address": "nowhere"}]
    asked += [{"phone": PHONE}, {"phone": PHONE}]
    reply = await client.post("/v1/assess", {"attempts": asked})
    one, two, three, four, five = reply.json["decisions"]
    assert [each["action"] for each in (one, four, five)] == ["allow", "allow", "throttle"]
    assert two["problem"]["type"].endswith("phone-number")
    assert three["problem"]["path"] == "address"
    assert "nowhere" not in str(three)


async def test_what_was_not_sent_is_given_back(client: Client) -> None:
    """By the ticket, once; a ticket of nobody's is said."""
    first = await client.assess()
    second = await client.assess()
    outcome = {"ticket": first["ticket"], "outcome": "not_sent"}
    for _ in range(2):
        assert (await client.post("/v1/settle", outcome)).json == {"accepted": 1, "problems": []}
    await client.guard.settled()
    assert (await client.assess())["allowed"]
    assert not (await client.assess())["allowed"]
    wrong = {"ticket": "xyz", "outcome": "sent"}
    many = [{**outcome, "ticket": second["ticket"]}, {**wrong, "outcome": "failed"}]
    reply = await client.post("/v1/settle", {"outcomes": many})
    assert (reply.status, reply.json["accepted"]) == (202, 1)
    assert [(each["index"], each["status"]) for each in reply.json["problems"]] == [(1, 422)]


async def test_who_verified_is_known(client: Client) -> None:
    """However the number is spelt."""
    await client.assess()
    reply = await client.post("/v1/verified", {"phone": "0044 7400 123456"})
    assert reply.status == 202
    many = {"verifications": [{"phone": "12"}, {"phone": PHONE}]}
    assert (await client.post("/v1/verified", many)).json["accepted"] == 1
    await client.guard.settled()
    explained = await client.post("/v1/explain", {"id": (await client.assess())["id"]})
    assert explained.json["known"] is True


async def test_a_policy_that_hears_of_no_verifications_says_so(tokens: Path) -> None:
    """Or they would be told to nobody, for ever."""
    async with Guard(Policy(send="/s", rules=[])) as guard:
        client = Client(Service(guard, BearerTokens(tokens)))
        assert (await client.post("/v1/verified", {"phone": PHONE})).status == 409


@pytest.mark.parametrize(("proof", "action"), [(False, "block"), (True, "challenge")])
async def test_proof_is_asked_for_only_where_it_would_be_believed(proof: bool, action: str) -> None:
    """Elsewhere a client would ask a person for something that changes nothing."""
    policy = Policy(send="/s", rules=[], secret="a secret of this test")
    challenge = SimulatedHuman(Altcha(policy)) if proof else None
    async with Guard(policy, networks=UnknownNetworks(), challenge=challenge) as guard:
        asks = Decision(make_attempt(), Action.CHALLENGE)
        assert decided(guard, asks, "1")["action"] == action


async def test_operators_are_told_why(client: Client) -> None:
    """By the id that the answer had; number and address are masked."""
    for _ in range(2):
        await client.assess(address="81.2.69.142")
    refused = await client.assess(address="81.2.69.142")
    reply = await client.post("/v1/explain", {"id": refused["id"]})
    head = f"throttle {refused['reference']}: +447400123••• (GB) for 81.2.69.•"
    assert reply.json["explanation"].startswith(head)
    assert reply.json["findings"][0]["rule"] == "phone_limit"
    assert reply.json["reference"] == refused["reference"]
    assert "123456" not in reply.body.decode()
    assert (await client.post("/v1/explain", {"id": "0"})).status == 404


async def test_operators_are_told_what_would_happen(client: Client) -> None:
    """Now, and without counting anything."""
    for _ in range(2):
        asked = await client.post("/v1/explain", {"phone": PHONE, "address": "81.2.69.142"})
        assert (asked.json["action"], asked.json["findings"]) == ("allow", [])
        assert (await client.assess(address="81.2.69.142"))["allowed"]
    for _ in range(3):
        asked = await client.post("/v1/explain", {"phone": PHONE})
        assert asked.json["findings"][0]["evidence"]["used"] == 2
        assert asked.json["reference"] is None  # nothing has happened
    assert (await client.post("/v1/explain", {"phone": "12"})).status == 422
    assert (await client.get("/metrics.json")).json["total_requests"] == 2


async def test_proof_and_own_dimensions_are_believed(client: Client) -> None:
    """Because the token is. A dimension that the policy has not is a mistake."""
    found = await client.assess(proved=True, solution="s1", extra={"tenant": 7}, session=12)
    ticket = Ticket.parse(found["ticket"])
    assert (ticket.attempt.session, ticket.attempt.extra) == ("12", {"tenant": "7"})
    again = await client.assess("+447400123457", proved=True, solution="s1")
    assert again["action"] == "challenge"  # each solution counts once
    wrong = await client.post("/v1/assess", {"phone": PHONE, "extra": {"tennant": "7"}})
    assert (wrong.status, wrong.json["path"]) == (422, "extra.tennant")


async def test_health(client: Client, tokens: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ready unless it ends, or would refuse everything because its store is away."""
    assert (await client.get("/healthz", "")).json == {"status": "alive"}
    assert (await client.get("/readyz", "")).json == {"ready": True, "store": "answers"}
    client.service.draining = True
    assert (await client.get("/readyz", "")).status == 503
    assert (await client.get("/healthz", "")).status == 200
    for failing, status in (("local", 200), ("open", 200), ("closed", 503)):
        policy = Policy(send="/s", rules=[], on_store_failure=failing)  # type: ignore[arg-type]
        async with Guard(policy, "redis://127.0.0.1:9") as guard:
            away = Client(Service(guard, BearerTokens(tokens)))
            reply = await away.get("/readyz", "")
        assert (reply.status, reply.json["store"]) == (status, "away")


async def test_what_takes_too_long_is_a_503(
    tokens: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As is an exception, which is logged; nothing of either is told."""

    async def never(attempt: object) -> None:
        await asyncio.Future()

    async def broken(attempt: object) -> None:
        raise RuntimeError(PHONE)

    async with Guard(Policy(send="/s", rules=[])) as guard:
        client = Client(Service(guard, BearerTokens(tokens), deadline=0.01))
        for decide in (never, broken):
            monkeypatch.setattr(guard, "decide", decide)
            with caplog.at_level(logging.ERROR):
                reply = await client.post("/v1/assess", {"phone": PHONE})
            assert (reply.status, reply.headers["pumpguard-deadline"]) == (503, "0.01")
            assert PHONE not in reply.body.decode()
    assert caplog.text.count("PG101 exception while answering; answered 503") == 1


async def test_the_token_comes_first(client: Client) -> None:
    """Nothing of a body is read before it."""
    reply = await client.post("/v1/assess", b"{", authorization="Bearer wrong")
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert (await client.get("/nowhere")).status == 404
    reply = await client.get("/v1/assess")
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    assert reply.headers["content-type"] == "application/problem+json"
    assert TOKEN not in reply.body.decode()


async def test_the_newest_decisions_can_be_explained(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So many of them; an older one is not known any more."""
    monkeypatch.setattr(answers, "RECENT", 2)
    ids = [(await client.assess(f"+4474001234{n}"))["id"] for n in (56, 57, 58)]
    found = [(await client.post("/v1/explain", {"id": each})).status for each in ids]
    assert found == [404, 200, 200]


async def test_a_store_of_your_own_may_not_be_able_to_explain(tokens: Path) -> None:
    """Where it cannot be asked without counting."""

    class Plain(TellsNothing):
        overrides = MemoryOverrides()

        async def decide(self, question: Question) -> Answer:
            raise AssertionError("an explanation counts nothing")

        async def aclose(self) -> None:
            pass

    client = Client(Service(Guard(Policy(send="/s"), Plain()), BearerTokens(tokens)))
    assert (await client.post("/v1/explain", {"phone": PHONE})).status == 503
