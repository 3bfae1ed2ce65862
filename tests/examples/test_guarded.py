"""What changes for everybody once pumpguard stands in front of the target app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from examples.target_app.app import create_app
from examples.target_app.settings import Settings
from pumpguard import Action, Guard
from tests.examples.visitor import BANGLADESHI, BRITISH, NOON, UNALLOCATED, Visitor

BRITISH_HOME = "86.130.0.1"
FRENCH_HOME = "90.0.0.1"


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    """The guarded app, running, with an embedded server of its own."""
    app = create_app(Settings(simulated=True, loss=0))
    async with app.router.lifespan_context(app):
        yield app


async def test_a_real_user_notices_nothing(visitor: Visitor) -> None:
    assert (await visitor.send(address=BRITISH_HOME)).status_code == 202

    assert (await visitor.verify(await visitor.code())).status_code == 200


async def test_a_second_message_within_a_minute_has_to_wait(visitor: Visitor) -> None:
    await visitor.send(address=BRITISH_HOME)
    visitor.now = NOON + 59
    hasty = await visitor.send(address=BRITISH_HOME)
    visitor.now = NOON + 61
    patient = await visitor.send(address=BRITISH_HOME)

    assert hasty.status_code == 429
    assert 0 < int(hasty.headers["retry-after"]) <= 60
    assert patient.status_code == 202
    assert (await visitor.get("/otp/billing"))["messages_sent"] == 2


async def test_every_spelling_of_a_number_shares_one_cooldown(visitor: Visitor) -> None:
    await visitor.send(BRITISH, address=BRITISH_HOME)

    respelled = await visitor.send("+44 (0)7400 123-456", address=BRITISH_HOME)
    in_two_parts = await visitor.call(
        "POST",
        "/otp/send",
        data={"code": "44", "phone": "07400123456"},
        headers={"X-Forwarded-For": BRITISH_HOME},
    )
    assert [respelled.status_code, in_two_parts.status_code] == [429, 429]


async def test_an_unallocated_number_is_refused_before_it_costs_anything(visitor: Visitor) -> None:
    refused = await visitor.send(UNALLOCATED, address=BRITISH_HOME)

    assert refused.status_code == 403
    assert (await visitor.get("/otp/billing"))["messages_sent"] == 0


async def test_a_briton_in_france_is_no_reason_to_ask(visitor: Visitor) -> None:
    assert (await visitor.send(BRITISH, address=FRENCH_HOME)).status_code == 202


async def test_a_french_address_and_a_bangladeshi_phone_meet_a_challenge(visitor: Visitor) -> None:
    challenged = await visitor.send(BANGLADESHI, address=FRENCH_HOME)

    assert challenged.status_code == 403
    assert challenged.headers["content-type"].startswith("application/problem+json")
    assert challenged.json()["type"].endswith("/challenge")
    assert (await visitor.get("/otp/billing"))["messages_sent"] == 0


async def test_a_simulated_human_solves_the_challenge(visitor: Visitor) -> None:
    solved = await visitor.send(BANGLADESHI, address=FRENCH_HOME, X_Sim_Human="1")

    assert solved.status_code == 202
    assert await visitor.code(BANGLADESHI)


async def test_a_simulated_human_has_to_wait_like_everybody(visitor: Visitor) -> None:
    await visitor.send(address=BRITISH_HOME)

    assert (await visitor.send(address=BRITISH_HOME, X_Sim_Human="1")).status_code == 429


async def test_the_metrics_tell_requests_actions_and_rules(visitor: Visitor) -> None:
    await visitor.send(BRITISH, address=BRITISH_HOME)
    await visitor.send(BRITISH, address=BRITISH_HOME)
    await visitor.send(BANGLADESHI, address=FRENCH_HOME)

    metrics = await visitor.get("/metrics/firewall")
    assert metrics["total_requests"] == 3
    assert metrics["requests_by_country"] == {"GB": 2, "FR": 1}
    assert metrics["requests_by_destination"] == {"GB": 2, "BD": 1}
    assert sum(metrics["requests_by_network"].values()) == 3
    assert metrics["by_action"] == {"allow": 1, "throttle": 1, "challenge": 1}
    assert sum(metrics["by_rule"].values()) >= 2


async def test_the_provider_books_only_what_the_guard_let_through(visitor: Visitor) -> None:
    for last in range(10):
        await visitor.send(f"{BANGLADESHI[:-1]}{last}", address=FRENCH_HOME)
    await visitor.send(BRITISH, address=BRITISH_HOME)

    customer = await visitor.get("/otp/billing")
    assert customer["messages_sent"] == 1
    assert customer.items() <= (await visitor.get("/sms-provider/billing")).items()


async def test_an_app_without_a_server_of_its_own_uses_the_given_store() -> None:
    app = create_app(Settings(simulated=True, redis_url="memory://"))
    async with app.router.lifespan_context(app):
        visitor = Visitor(app)
        statuses = [(await visitor.send(address=BRITISH_HOME)).status_code for _ in range(2)]

    assert statuses == [202, 429]


async def test_a_policy_can_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        'send = "/otp/send"\nphone = "phone"\nhome = ["FR"]\nproxies = ["127.0.0.0/8"]\n'
    )
    app = create_app(Settings(simulated=True, redis_url="memory://", policy_file=file))
    async with app.router.lifespan_context(app):
        reply = await Visitor(app).send("+33612345678", address=FRENCH_HOME)

    assert reply.status_code == 202


async def test_a_shadowed_request_looks_sent_but_nothing_is(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(
        'send = "/otp/send"\nproxies = ["127.0.0.0/8"]\nrules.geo_mismatch.action = "shadow"\n'
    )
    app = create_app(Settings(simulated=True, loss=0, redis_url="memory://", policy_file=file))
    async with app.router.lifespan_context(app):
        visitor = Visitor(app)
        sent = await visitor.send(BRITISH, address=BRITISH_HOME)
        shadowed = await visitor.send(BANGLADESHI, address=FRENCH_HOME)
        visitor.now += 10

        assert shadowed.status_code == sent.status_code == 202
        assert shadowed.headers == sent.headers
        assert shadowed.json().keys() == sent.json().keys()
        assert await visitor.texts(BANGLADESHI) == []
        assert len(await visitor.texts(BRITISH)) == 1
        assert (await visitor.get("/otp/billing"))["messages_sent"] == 1


async def test_on_real_time_the_guard_counts_by_the_clock_of_its_store() -> None:
    app = create_app(Settings())
    async with app.router.lifespan_context(app):
        visitor = Visitor(app, simulated=False)
        statuses = [(await visitor.send(address=BRITISH_HOME)).status_code for _ in range(2)]

    assert statuses == [202, 429]


async def test_what_the_operator_rejects_is_told_to_the_guard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a message that was sent: here to a number that the policy only watches."""
    told: list[tuple[Action, str]] = []
    monkeypatch.setattr(
        Guard, "settle", lambda _, message, outcome: told.append((message.action, outcome))
    )
    file = tmp_path / "policy.toml"
    file.write_text(
        'send = "/otp/send"\nverify = "/otp/verify"\nphone = "phone"\n'
        '[rules.number]\nmode = "monitor"\n'
    )
    app = create_app(Settings(simulated=True, redis_url="memory://", policy_file=file, loss=0))
    async with app.router.lifespan_context(app):
        visitor = Visitor(app)
        assert (await visitor.send(BRITISH, address=BRITISH_HOME)).status_code == 202
        assert told == []
        assert (await visitor.send(UNALLOCATED, address=BRITISH_HOME)).status_code == 202
    assert told == [(Action.ALLOW, "unallocated")]
