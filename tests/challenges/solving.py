"""What a client does with a challenge, and a policy that challenges everybody."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import altcha
from starlette.types import ASGIApp

from pumpguard import Action, Attempt, Decision, Finding, Policy
from pumpguard.challenges import Altcha
from pumpguard.testing import make_attempt
from tests.asgi import Reply, ask

SECRET = "as long as it has to be"
FEW = 30
"""Tries that take no time."""


def asks_everybody(attempt: Attempt) -> Finding:
    """A rule under which nobody passes without proof."""
    return Finding("asks_everybody", Action.CHALLENGE, "ALWAYS")


def policy(**settings: Any) -> Policy:
    """Nothing but proof is asked for."""
    usual: dict[str, Any] = {
        "send": "/otp/send",
        "rules": (asks_everybody,),
        "secret": SECRET,
        "deadline": 10,
    }
    return Policy(**{**usual, **settings})


def easy(asking: Policy | None = None, **settings: Any) -> Altcha:
    """A challenge that is quickly solved."""
    return Altcha(asking or policy(), **{"tries": FEW, "max_tries": FEW, **settings})


def posed(challenge: Altcha, attempt: Attempt | None = None) -> dict[str, Any]:
    """What is put to an attempt, as a client reads it."""
    decision = Decision(attempt or make_attempt(), Action.CHALLENGE)
    said: dict[str, Any] = json.loads(json.dumps(challenge.pose(decision)))
    return said


def solution_of(said: Mapping[str, Any], **more: object) -> str:
    """The payload that solves it, spelt as browsers do."""
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(said["challenge"]))
    assert solution is not None
    found = {"counter": solution.counter, "derivedKey": solution.derived_key, **more}
    return spelt({"challenge": said["challenge"], "solution": found})


def spelt(payload: object) -> str:
    """As ``btoa(JSON.stringify(payload))``."""
    return base64.b64encode(json.dumps(payload, separators=(",", ":")).encode()).decode()


def read(payload: str) -> dict[str, Any]:
    """The other way round."""
    said: dict[str, Any] = json.loads(base64.b64decode(payload))
    return said


async def solve(app: ASGIApp, **scope: Any) -> str:
    """Ask, and solve what is asked for."""
    reply = await ask(app, **scope)
    assert reply.status == 403
    return solution_of(reply.json["challenge"])


async def with_solution(app: ASGIApp, solution: str, **scope: Any) -> Reply:
    """Ask again, with a solution."""
    return await ask(app, headers={"X-Challenge-Solution": solution}, **scope)
