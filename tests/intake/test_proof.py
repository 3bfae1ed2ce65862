"""Where a solution stands in a request, and what a challenge of one's own has to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from pumpguard import Attempt, Decision, PolicyError, PumpGuardMiddleware
from pumpguard.challenges import Challenge, Solution
from tests.asgi import FORM, PHONE, Reply, ask, call, request
from tests.challenges.solving import policy
from tests.otp_app import Outbox, otp_app


class Word(Challenge):
    """Whoever knows the word is a person."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def solved(self, said: str, attempt: Attempt) -> bool:
        """Whether that was it."""
        self.heard.append(said)
        return said == "please"


def guarded(challenge: Challenge, **settings: Any) -> PumpGuardMiddleware:
    """An app that sends to nobody without proof."""
    return PumpGuardMiddleware(otp_app(Outbox()), policy(**settings), challenge=challenge)


async def body(app: PumpGuardMiddleware, body: bytes, **scope: Any) -> Reply:
    return await call(app, request(**scope), body)


async def test_a_challenge_of_ones_own_needs_one_method() -> None:
    """Yes or no."""
    app = guarded(Word())
    assert (await ask(app)).status == 403
    assert (await ask(app, headers={"X-Challenge-Solution": "no"})).status == 403
    assert (await ask(app, headers={"X-Challenge-Solution": "please"})).status == 202


async def test_nothing_posed_is_a_plain_challenge() -> None:
    reply = await ask(guarded(Word()))
    assert reply.is_problem
    assert reply.json["type"].endswith("/challenge")


async def test_it_may_be_asynchronous_and_pose_something() -> None:
    class Slow(Word):
        async def solved(self, said: str, attempt: Attempt) -> Solution | bool:  # type: ignore[override]
            return said == "please" and Solution(said)

        def pose(self, decision: Decision) -> Mapping[str, object]:
            return {"kind": "word", "letters": 6}

    app = guarded(Slow())
    reply = await ask(app)
    assert reply.json["challenge"] == {"kind": "word", "letters": 6}
    assert reply.json["status"] == reply.status == 403
    headers = {"X-Challenge-Solution": "please"}
    assert [(await ask(app, headers=headers)).status for _ in range(2)] == [202, 403]


@pytest.mark.parametrize(
    ("content_type", "body_of"),
    [
        ("application/json", json.dumps({"phone": PHONE, "challenge_solution": "please"})),
        (FORM, f"phone=%2B{PHONE[1:]}&challenge_solution=please"),
    ],
)
async def test_it_may_stand_in_the_body(content_type: str, body_of: str) -> None:
    """Then no header of ours needs a CORS preflight."""
    app = guarded(Word())
    reply = await body(app, body_of.encode(), content_type=content_type)
    assert reply.status == 202


async def test_a_body_that_can_have_no_field_is_not_read_for_one() -> None:
    """The number stands in the path, and whatever is sent along is the app's."""
    challenge = Word()
    app = guarded(challenge, send="/otp/{phone}/send", phone="path:phone")
    path = f"/otp/{PHONE}/send"
    reply = await body(app, b"<x/>", path=path, content_type="application/xml")
    assert (reply.status, challenge.heard) == (403, [])
    headers = {"X-Challenge-Solution": "please"}
    reply = await body(app, b"<x/>", path=path, content_type="application/xml", headers=headers)
    assert (reply.status, challenge.heard) == (404, ["please"])  # let through to the app


async def test_the_first_place_with_something_counts() -> None:
    challenge = Word()
    app = guarded(challenge)
    said = json.dumps({"phone": PHONE, "challenge_solution": "please"}).encode()
    assert (await body(app, said, headers={"X-Challenge-Solution": "no"})).status == 403
    assert (await body(app, said, headers={"X-Challenge-Solution": ""})).status == 202
    assert challenge.heard == ["no", "please"]


@pytest.mark.parametrize("said", ["", 1, True, None, ["please"], {"please": 1}])
async def test_what_is_no_text_is_nothing(said: object) -> None:
    """Not even asked about: requests without a solution cost nothing."""
    challenge = Word()
    body_of = json.dumps({"phone": PHONE, "challenge_solution": said}).encode()
    assert (await body(guarded(challenge), body_of)).status == 403
    assert challenge.heard == []


async def test_two_solutions_in_one_request_are_ambiguous() -> None:
    headers = [("X-Challenge-Solution", "no"), ("X-Challenge-Solution", "please")]
    assert (await ask(guarded(Word()), headers=headers)).status == 400


@pytest.mark.parametrize(("length", "heard"), [(4_096, 1), (4_097, 0)])
async def test_what_is_too_long_is_not_looked_at(length: int, heard: int) -> None:
    challenge = Word()
    headers = {"X-Challenge-Solution": "x" * length}
    assert (await ask(guarded(challenge), headers=headers)).status == 403
    assert len(challenge.heard) == heard


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_one_that_fails_is_not_solved(
    asynchronous: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """And no request ends in an error of ours."""

    class Broken(Challenge):
        def solved(self, said: str, attempt: Attempt) -> Any:
            if asynchronous:
                return self._later()
            raise ZeroDivisionError

        async def _later(self) -> bool:
            raise ZeroDivisionError

        def pose(self, decision: Decision) -> Mapping[str, object]:
            raise ZeroDivisionError

    reply = await ask(guarded(Broken()), headers={"X-Challenge-Solution": "please"})
    assert reply.is_problem
    assert reply.json["type"].endswith("/challenge")
    assert "PG037" in caplog.text
    assert "PG038" in caplog.text


@pytest.mark.parametrize("answer", [1, "yes", object(), None, 0])
async def test_only_true_is_yes(answer: Any) -> None:
    """Not whatever Python takes for true: a forgotten ``await`` would be."""

    class Vague(Challenge):
        def solved(self, said: str, attempt: Attempt) -> Any:
            return answer

    app = guarded(Vague())
    assert (await ask(app, headers={"X-Challenge-Solution": "please"})).status == 403


@pytest.mark.parametrize(
    ("setting", "path"),
    [
        ({"carried_in": ("bad:place",)}, r"challenge\.carried_in\.0"),
        ({"longest": 0}, r"challenge\.longest"),
        ({"lifetime": 0}, r"challenge\.lifetime"),
    ],
)
def test_a_challenge_that_cannot_work_is_refused(setting: dict[str, Any], path: str) -> None:
    challenge = Word()
    for name, value in setting.items():
        setattr(challenge, name, value)
    with pytest.raises(PolicyError, match=f"^{path}: "):
        guarded(challenge)


async def test_it_is_closed_with_the_guard() -> None:
    class Closing(Word):
        closed = 0

        async def aclose(self) -> None:
            self.closed += 1

    challenge = Closing()
    await guarded(challenge).guard.aclose()
    assert challenge.closed == 1
