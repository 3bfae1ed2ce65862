"""Problem details (RFC 9457): what every refusal looks like."""

from __future__ import annotations

import pytest

from pumpguard.errors import IntakeError
from pumpguard.replies.problem import Problem, unreadable
from tests.asgi import call, request


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
