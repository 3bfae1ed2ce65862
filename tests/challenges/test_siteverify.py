"""Turnstile, hCaptcha and reCAPTCHA: real HTTP to a service on loopback, and all its bad days."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from pumpguard import Action, Decision, Guard, PolicyError, PumpGuardMiddleware
from pumpguard.challenges import HCaptcha, ReCaptcha, Solution, Turnstile
from pumpguard.challenges.siteverify import SiteVerify
from pumpguard.intake.network import UnknownNetworks
from pumpguard.testing import FakeClock, make_attempt
from tests.challenges.service import HOST, SECRET, SITE_KEY, Service
from tests.challenges.solving import policy, with_solution
from tests.otp_app import Outbox, otp_app

PATIENT = 10.0
SOMEBODY = make_attempt()

Adapter = Callable[..., SiteVerify]
ALL: tuple[Adapter, ...] = (Turnstile, HCaptcha, ReCaptcha)


def adapter(kind: Adapter, service: Service, **settings: Any) -> SiteVerify:
    """One that asks this service, with time to spare."""
    wanted: dict[str, Any] = {"site_key": SITE_KEY, "hostnames": [HOST], "deadline": PATIENT}
    if kind is ReCaptcha:
        wanted["action"] = "send_code"
    return kind(settings.pop("secret", SECRET), url=service.url, **{**wanted, **settings})


def a_service() -> Service:
    """It has given out tokens to a person."""
    person = {"action": "send_code", "score": 0.9}
    return Service(one=dict(person), two=dict(person))


@pytest.mark.parametrize("kind", ALL)
async def test_what_the_service_vouches_for_is_solved(kind: Adapter) -> None:
    async with a_service() as service:
        asking = adapter(kind, service)
        answers = [await asking.solved(token, SOMEBODY) for token in ("one", "two", "invented")]
        await asking.aclose()
    assert isinstance(answers[0], Solution)
    assert isinstance(answers[1], Solution)
    assert answers[0] != answers[1]
    assert answers[2] is False


@pytest.mark.parametrize("kind", ALL)
async def test_it_is_asked_as_it_wants(kind: Adapter) -> None:
    """A form; the client's address only if that was said. The service checks the form's head."""
    async with a_service() as service:
        for send_address in (False, True):
            asking = adapter(kind, service, send_address=send_address)
            await asking.solved("one", SOMEBODY)
            await asking.aclose()
    bare = {"secret": SECRET, "response": "one"}
    if kind is HCaptcha:
        bare["sitekey"] = SITE_KEY
    assert service.asked == [bare, {**bare, "remoteip": SOMEBODY.client.address}]


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("host", ["evil.example", "app.example.evil", "", None])
async def test_a_token_of_another_page_is_no_solution(kind: Adapter, host: str | None) -> None:
    """Somebody else's page can show the widget with our key to people of its own."""
    async with a_service() as service:
        service.tokens["one"]["hostname"] = host
        asking = adapter(kind, service)
        assert await asking.solved("one", SOMEBODY) is False
        await asking.aclose()


@pytest.mark.parametrize("kind", [Turnstile, ReCaptcha])
@pytest.mark.parametrize("action", ["log_in", "", None])
async def test_a_token_for_another_action_is_no_solution(kind: Adapter, action: str | None) -> None:
    async with a_service() as service:
        service.tokens["one"]["action"] = action
        asking = adapter(kind, service, action="send_code")
        assert await asking.solved("one", SOMEBODY) is False
        await asking.aclose()


@pytest.mark.parametrize(
    ("kind", "settings", "score", "solved"),
    [
        (ReCaptcha, {}, 1.0, True),  # surely a person
        (ReCaptcha, {}, 0.5, True),
        (ReCaptcha, {}, 0.49, False),
        (ReCaptcha, {}, 0.0, False),  # surely none
        (ReCaptcha, {}, None, False),  # v2 has no score
        (ReCaptcha, {}, True, False),
        (ReCaptcha, {"least_score": 0.7}, 0.6, False),
        (HCaptcha, {}, 1.0, True),  # not asked about
        (HCaptcha, {"most_score": 0.7}, 1.0, False),  # surely a threat
        (HCaptcha, {"most_score": 0.7}, 0.7, True),
        (HCaptcha, {"most_score": 0.7}, 0.0, True),
        (HCaptcha, {"most_score": 0.7}, None, False),
    ],
)
async def test_scores_have_opposite_meanings(
    kind: Adapter, settings: dict[str, float], score: float | None, solved: bool
) -> None:
    async with a_service() as service:
        service.tokens["one"]["score"] = score
        asking = adapter(kind, service, **settings)
        assert bool(await asking.solved("one", SOMEBODY)) is solved
        await asking.aclose()


async def test_a_good_token_is_remembered_while_it_may_be_needed() -> None:
    """The service takes it once, and a request may be refused for something else."""
    clock = FakeClock()
    async with a_service() as service:
        asking = adapter(Turnstile, service, clock=clock)
        answers = [await asking.solved("one", SOMEBODY) for _ in range(3)]
        clock.advance(300)
        late = await asking.solved("one", SOMEBODY)
        await asking.aclose()
    assert answers[0] is not False
    assert answers == [answers[0]] * 3
    assert late is False
    assert len(service.asked) == 2


async def test_in_the_guard_a_token_counts_once() -> None:
    outbox, asking_policy = Outbox(), policy()
    async with a_service() as service:
        guard = Guard(
            asking_policy, challenge=adapter(Turnstile, service), networks=UnknownNetworks()
        )
        app = PumpGuardMiddleware(otp_app(outbox), guard=guard)
        replies = await asyncio.gather(*(with_solution(app, "one") for _ in range(50)))
        posed = replies[-1].json
        await guard.aclose()
    assert sorted(reply.status for reply in replies) == [202] + [403] * 49
    assert len(outbox.sent) == 1
    assert posed["challenge"] == {"kind": "turnstile", "site_key": SITE_KEY}


def test_what_is_posed_is_what_a_page_needs() -> None:
    decision = Decision(SOMEBODY, Action.CHALLENGE)
    assert a_kind(HCaptcha).pose(decision) == {"kind": "hcaptcha", "site_key": SITE_KEY}
    assert a_kind(ReCaptcha, action="send_code").pose(decision) == {
        "kind": "recaptcha",
        "site_key": SITE_KEY,
        "action": "send_code",
    }


def a_kind(kind: Adapter, **settings: Any) -> SiteVerify:
    """One that asks nobody."""
    return kind(SECRET, **{"site_key": SITE_KEY, "hostnames": [HOST], **settings})


# Bad days

FAULTS: dict[str, dict[str, Any]] = {
    "slow": {"delay": 0.5},
    "error": {"status": 500},
    "moved": {"status": 302},
    "no JSON": {"raw": b"<html>"},
    "no object": {"raw": b"[]"},
    "empty": {"raw": b""},
    "no verdict": {"raw": b"{}"},
    "odd verdict": {"raw": b'{"success": "true"}'},
    "its own fault": {"raw": b'{"success": false, "error-codes": ["internal-error"]}'},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("on_failure", ["unsolved", "solved"])
async def test_an_outage_is_answered_as_was_chosen(fault: dict[str, Any], on_failure: str) -> None:
    async with a_service() as service:
        for name, value in fault.items():
            setattr(service, name, value)
        deadline = 0.05 if "delay" in fault else PATIENT
        asking = adapter(Turnstile, service, deadline=deadline, on_failure=on_failure)
        answer = await asking.solved("one", SOMEBODY)
        await asking.aclose()
        service.delay = 0
    assert isinstance(answer, Solution) is (on_failure == "solved")


async def test_nobody_there_is_an_outage_too() -> None:
    async with a_service() as service:
        asking = adapter(Turnstile, service)
    assert await asking.solved("one", SOMEBODY) is False


async def test_a_refused_token_is_no_outage() -> None:
    """However the outage is answered, invented tokens are not."""
    async with a_service() as service:
        asking = adapter(Turnstile, service, on_failure="solved")
        assert [await asking.solved(f"x{i}", SOMEBODY) for i in range(9)] == [False] * 9
        assert await asking.solved("one", SOMEBODY)
        await asking.aclose()


async def test_after_three_faults_it_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    """And asked again after half a minute."""
    clock = FakeClock()
    async with a_service() as service:
        service.status = 500
        asking = adapter(Turnstile, service, clock=clock)
        for _ in range(5):
            assert await asking.solved("one", SOMEBODY) is False
        assert len(service.asked) == 3
        service.status = 200
        clock.advance(29.9)
        assert await asking.solved("one", SOMEBODY) is False
        clock.advance(0.2)
        service.tokens["three"] = {}
        assert await asking.solved("three", SOMEBODY)
        await asking.aclose()
    assert caplog.text.count("PG035") == 1
    assert SECRET not in caplog.text


async def test_faults_are_counted_in_a_row() -> None:
    """One answer, and the count begins anew."""
    async with a_service() as service:
        asking = adapter(Turnstile, service)
        for status in (500, 500, 200, 500, 500, 200):
            service.status = status
            await asking.solved("invented", SOMEBODY)
        await asking.aclose()
    assert len(service.asked) == 6


async def test_a_slow_service_blocks_nobody_else() -> None:
    """While one request waits for it, the event loop goes on."""
    gate = asyncio.Event()

    class Slow(Service):
        async def reply(self, head: str, reader: asyncio.StreamReader) -> bytes:
            await gate.wait()
            return await super().reply(head, reader)

    async with Slow(one={"action": "send_code", "score": 0.9}) as service:
        asking = adapter(Turnstile, service)
        waiting = asyncio.create_task(asking.solved("one", SOMEBODY))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not waiting.done()
        gate.set()
        assert await waiting
        await asking.aclose()


async def test_a_flood_of_tokens_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """At most so many are shown to the service at one time; the others are no solutions, even
    where an outage would let them through."""
    monkeypatch.setattr("pumpguard.challenges.siteverify.AT_ONCE", 2)
    async with a_service() as service:
        service.delay = 0.2
        asking = adapter(Turnstile, service, on_failure="solved")
        async with asyncio.timeout(PATIENT):
            answers = await asyncio.gather(*(asking.solved(f"x{i}", SOMEBODY) for i in range(50)))
        await asking.aclose()
    assert answers == [False] * 50
    assert len(service.asked) == 2


@pytest.mark.parametrize("said", ["\x00", "é", "one\n", "\u202e"])
async def test_what_cannot_be_a_token_is_shown_to_nobody(said: str) -> None:
    async with a_service() as service:
        asking = adapter(Turnstile, service)
        assert await asking.solved(said, SOMEBODY) is False
    assert service.asked == []


async def test_a_wrong_secret_is_said_to_the_operator(caplog: pytest.LogCaptureFixture) -> None:
    """Once, because nothing passes until it is mended; and not to the client."""
    caplog.set_level(logging.ERROR)
    async with a_service() as service:
        asking = adapter(Turnstile, service, secret="wrong", on_failure="solved")
        assert [await asking.solved("one", SOMEBODY) for _ in range(3)] == [False] * 3
        await asking.aclose()
    assert caplog.text.count("PG034") == 1
    assert "invalid-input-secret" in caplog.text
    assert "wrong" not in caplog.text


@pytest.mark.parametrize(
    ("kind", "settings", "path"),
    [
        (Turnstile, {"site_key": ""}, "site_key"),
        (Turnstile, {"hostnames": []}, "hostnames"),
        (Turnstile, {"hostnames": [""]}, "hostnames"),
        (Turnstile, {"hostnames": "app.example"}, "hostnames"),
        (Turnstile, {"deadline": 0}, "deadline"),
        (Turnstile, {"on_failure": "maybe"}, "on_failure"),
        (Turnstile, {"url": "http://elsewhere.example/siteverify"}, "url"),
        (HCaptcha, {"action": "x"}, "action"),
        (HCaptcha, {"most_score": 2.0}, "most_score"),
        (ReCaptcha, {"action": ""}, "action"),
        (ReCaptcha, {"action": "x", "least_score": -0.1}, "least_score"),
    ],
)
def test_what_cannot_work_is_refused(kind: Adapter, settings: dict[str, Any], path: str) -> None:
    with pytest.raises(PolicyError, match=rf"^challenge\.{path}: "):
        a_kind(kind, **settings)


def test_a_secret_is_needed() -> None:
    with pytest.raises(PolicyError, match=r"^challenge\.secret: "):
        Turnstile("", site_key=SITE_KEY, hostnames=[HOST])


async def test_so_many_solutions_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The service is asked again for an older one, and says that it was used."""
    monkeypatch.setattr("pumpguard.challenges.siteverify.MAX_SOLVED", 1)
    async with a_service() as service:
        asking = adapter(Turnstile, service)
        assert await asking.solved("one", SOMEBODY)
        assert await asking.solved("one", SOMEBODY)
        assert await asking.solved("two", SOMEBODY)
        assert await asking.solved("one", SOMEBODY) is False
        await asking.aclose()
    assert len(service.asked) == 3
