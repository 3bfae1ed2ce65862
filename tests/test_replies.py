"""Replies are problem details (RFC 9457): they say how to go on, and nothing about why."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from starlette.types import Message

from pumpguard import Action, Attempt, Decision, Finding
from pumpguard.challenges import Challenge
from pumpguard.errors import IntakeError
from pumpguard.replies import Problem, refusal, unreadable
from pumpguard.testing import make_attempt
from tests.asgi import Reply, call, request


async def refused(action: Action, retry_after: float | None = None, **words: str) -> Reply:
    finding = Finding(
        words.get("rule", "some_rule"),
        action,
        words.get("code", "SOME_CODE"),
        {"limit": 17},
        retry_after,
        subject="+44740012",
    )
    return await call(refusal(Decision(make_attempt(), action, (finding,))), request())


@pytest.mark.parametrize(
    ("action", "status", "ending"),
    [
        (Action.CHALLENGE, 403, "/challenge"),
        (Action.THROTTLE, 429, "/throttled"),
        (Action.BLOCK, 403, "/blocked"),
        (Action.SHADOW, 403, "/blocked"),  # where nothing could keep it silent
    ],
)
async def test_every_action_has_its_reply(action: Action, status: int, ending: str) -> None:
    reply = await refused(action)
    assert reply.is_problem
    assert reply.status == status
    assert reply.json["type"].endswith(ending)


async def test_only_a_throttle_says_when_to_come_back() -> None:
    assert (await refused(Action.THROTTLE, 30.5)).headers["retry-after"] == "31"
    for action in (Action.CHALLENGE, Action.BLOCK, Action.SHADOW):
        assert "retry-after" not in (await refused(action, 30.5)).headers


async def test_a_throttle_that_does_not_know_when_says_nothing() -> None:
    assert "retry-after" not in (await refused(Action.THROTTLE)).headers


@pytest.mark.parametrize("action", [Action.CHALLENGE, Action.THROTTLE, Action.BLOCK])
async def test_the_reason_changes_no_byte_of_the_reply(action: Action) -> None:
    """Whoever could tell two reasons apart could walk around each."""
    one = await refused(action, rule="phone_limit", code="RATE_LIMIT")
    other = await refused(action, rule="prefix_pattern", code="PREFIX_SURGE")
    assert one.messages == other.messages


@pytest.mark.parametrize("action", [Action.CHALLENGE, Action.THROTTLE, Action.BLOCK])
async def test_no_header_tells_limits(action: Action) -> None:
    names = (await refused(action, 5.0)).headers.keys()
    allowed = {"cache-control", "content-length", "content-type"}
    assert names - allowed <= ({"retry-after"} if action is Action.THROTTLE else set())


async def test_a_shadow_that_could_be_heard_looks_like_any_block() -> None:
    assert (await refused(Action.SHADOW)).messages == (await refused(Action.BLOCK)).messages


async def test_what_others_add_to_one_reply_is_not_in_the_next() -> None:
    """Refusals are made once; a middleware that appends a header must not append it for ever."""
    decision = Decision(make_attempt(), Action.BLOCK)
    lengths = []

    async def nothing() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            lengths.append(len(message["headers"]))
            message["headers"].append((b"x-added", b"1"))

    for _ in range(3):
        await refusal(decision)({"type": "http"}, nothing, send)
    assert len(set(lengths)) == 1


class Poses(Challenge):
    """Asks for the same thing every time, or for nothing."""

    def __init__(self, what: Mapping[str, object] | None) -> None:
        self.what = what

    def solved(self, said: str, attempt: Attempt) -> bool:
        """Never asked here."""
        return False

    def pose(self, decision: Decision) -> Mapping[str, object] | None:
        """What was said."""
        return self.what


async def test_a_challenge_says_what_to_solve_and_nothing_more() -> None:
    decision = Decision(make_attempt(), Action.CHALLENGE)
    plain = await call(refusal(decision, Poses(None)), request())
    posed = await call(refusal(decision, Poses({"kind": "riddle"})), request())
    assert plain.messages == (await call(refusal(decision), request())).messages
    assert posed.json == {**plain.json, "challenge": {"kind": "riddle"}}
    assert posed.headers.keys() == plain.headers.keys()


@pytest.mark.parametrize("action", [Action.THROTTLE, Action.BLOCK, Action.SHADOW])
async def test_only_a_challenge_poses_one(action: Action) -> None:
    decision = Decision(make_attempt(), action)
    reply = await call(refusal(decision, Poses({"kind": "riddle"})), request())
    assert reply.messages == (await call(refusal(decision), request())).messages


async def test_a_problem_is_a_small_json_object_of_its_own_type() -> None:
    reply = await call(Problem(400, "bad-request", "Bad request", "Why."), request())

    assert reply.status == 400
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.json == {
        "type": "tag:pumpguard,2026:problem/bad-request",
        "title": "Bad request",
        "status": 400,
        "detail": "Why.",
    }


async def test_no_cache_may_keep_a_refusal() -> None:
    reply = await call(Problem(400, "x", "X", "X."), request())
    assert reply.headers["cache-control"] == "no-store"
    assert "retry-after" not in reply.headers


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "1"), (0.001, "1"), (1.0, "1"), (1.001, "2"), (59.5, "60")]
)
async def test_retry_after_is_whole_seconds_never_too_early_and_never_zero(
    seconds: float, said: str
) -> None:
    reply = await call(Problem(429, "x", "X", "X.", seconds), request())
    assert reply.headers["retry-after"] == said


async def test_an_unreadable_request_is_told_what_to_mend() -> None:
    error = IntakeError(413, "body-too-large", "Too large", "At most 5 bytes.")
    reply = await call(unreadable(error), request())
    assert reply.is_problem
    assert (reply.status, reply.json["detail"]) == (413, "At most 5 bytes.")
