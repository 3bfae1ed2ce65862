"""The page, and the proof that it has people's devices do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi import FastAPI

from examples.target_app.app import create_app
from examples.target_app.settings import Settings
from pumpguard import PolicyError
from pumpguard.challenges import Altcha
from tests.challenges.solving import FEW, solution_of
from tests.examples.visitor import BANGLADESHI, NOON, Visitor

FRENCH_HOME = "90.0.0.1"
SETTINGS = Settings(loss=0, secret="the same for all workers")


@pytest.fixture
async def app() -> AsyncIterator[FastAPI]:
    """The guarded app, as it runs for real."""
    app = create_app(SETTINGS)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def visitor(app: FastAPI) -> Visitor:
    """Somebody real."""
    return Visitor(app, simulated=False)


async def test_the_page_allows_nothing_but_its_own_files(visitor: Visitor) -> None:
    reply = await visitor.call("GET", "/")
    allowed = dict(
        directive.split(" ", 1)
        for directive in reply.headers["content-security-policy"].split("; ")
    )
    assert allowed["default-src"] == "'none'"
    assert set(allowed.values()) == {"'none'", "'self'"}
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "style=" not in reply.text
    assert "<script>" not in reply.text


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("page.js", "text/javascript"),
        ("solve.js", "text/javascript"),
        ("worker.js", "text/javascript"),
        ("page.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_its_files_are_served(visitor: Visitor, path: str, kind: str) -> None:
    reply = await visitor.call("GET", f"/static/{path}")
    assert reply.status_code == 200
    assert reply.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("path", ["..%2fapp.py", "../app.py", "", "other.js"])
async def test_and_nothing_else_is(visitor: Visitor, path: str) -> None:
    assert (await visitor.call("GET", f"/static/{path}")).status_code == 404


async def test_a_traveller_does_the_work_and_gets_a_code(visitor: Visitor) -> None:
    """As hard as it really is."""
    challenged = await visitor.send(BANGLADESHI, address=FRENCH_HOME)
    assert challenged.status_code == 403
    solution = solution_of(challenged.json()["challenge"])

    elsewhere = await visitor.send(BANGLADESHI, address="90.0.0.2", X_Challenge_Solution=solution)
    assert elsewhere.status_code == 403
    solved = await visitor.send(BANGLADESHI, address=FRENCH_HOME, X_Challenge_Solution=solution)
    assert solved.status_code == 202
    assert (await visitor.get("/otp/billing"))["messages_sent"] == 1


@pytest.fixture
def little_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of what becomes of it, however much it was."""
    monkeypatch.setattr(Altcha, "tries", lambda *_: FEW)


@pytest.mark.usefixtures("little_work")
async def test_the_work_counts_in_a_simulation_too() -> None:
    """At the time that requests tell, for five minutes of it."""
    app = create_app(replace(SETTINGS, simulated=True))
    async with app.router.lifespan_context(app):
        visitor = Visitor(app)
        challenged = await visitor.send(BANGLADESHI, address=FRENCH_HOME)
        solution = solution_of(challenged.json()["challenge"])
        for later, status in ((300, 403), (299, 202)):
            visitor.now = NOON + later
            reply = await visitor.send(
                BANGLADESHI, address=FRENCH_HOME, X_Challenge_Solution=solution
            )
            assert reply.status_code == status


@pytest.mark.usefixtures("little_work")
async def test_another_worker_knows_the_solution(visitor: Visitor) -> None:
    """By the secret they share."""
    challenged = await visitor.send(BANGLADESHI, address=FRENCH_HOME)
    solution = solution_of(challenged.json()["challenge"])
    for secret, status in (("another secret for others", 403), (SETTINGS.secret, 202)):
        other = create_app(replace(SETTINGS, secret=secret))
        async with other.router.lifespan_context(other):
            asking = Visitor(other, simulated=False)
            reply = await asking.send(
                BANGLADESHI, address=FRENCH_HOME, X_Challenge_Solution=solution
            )
            assert reply.status_code == status


def test_the_secret_comes_from_the_environment_and_is_shown_nowhere() -> None:
    settings = Settings.from_environment({"TARGET_APP_SECRET": "a well kept secret"})
    assert settings.secret == "a well kept secret"
    assert "well kept" not in repr(settings)


def test_a_policy_whose_secret_can_be_guessed_is_refused(tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text('send = "/otp/send"\nsecret = "short"\n')
    with pytest.raises(PolicyError, match=r"^secret: "):
        create_app(Settings(policy_file=policy, redis_url="memory://"))
