"""Replies are problem details (RFC 9457): they say how to go on, and nothing about why."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Message

from pumpguard import (
    Action,
    Attempt,
    Decision,
    Finding,
    Guard,
    Policy,
    PumpGuardMiddleware,
)
from pumpguard.challenges import Challenge
from pumpguard.errors import IntakeError, PolicyError
from pumpguard.replies import Problem, Problems, unreadable
from pumpguard.store.base import Answer, Question
from pumpguard.store.memory import MemoryStore
from pumpguard.testing import make_attempt
from pumpguard.texts import Languages
from tests.asgi import FORM, PHONE, Reply, ask, call, request
from tests.otp_app import Outbox, one_per_minute, otp_app


def refusal(decision: Decision, challenge: Challenge | None = None) -> Problem:
    """The reply to a decision, in English."""
    return Problems(challenge).refusal(decision, request())


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
        (Action.CHALLENGE, 403, "/blocked"),  # where nobody would check a proof
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
    waiting = {"retry-after", "access-control-expose-headers"}
    assert names - allowed <= (waiting if action is Action.THROTTLE else set())


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
    assert (plain.status, plain.json["title"]) == (403, "Proof required")
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
    assert reply.json["retry_after"] == int(said)


@pytest.mark.parametrize("expose", [(), ("Retry-After", "X-Other")])
async def test_a_script_of_another_origin_can_read_how_long_to_wait(expose: Sequence[str]) -> None:
    """If CORS is added after the guard, and so is around it; the body says it in any case."""
    app = CORSMiddleware(
        Problem(429, "x", "X", "X.", 30), allow_origins=["*"], expose_headers=expose
    )
    reply = await call(app, request(headers={"origin": "https://web.example"}))
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "Retry-After" in reply.headers["access-control-expose-headers"]
    assert reply.json["retry_after"] == 30


async def test_an_unreadable_request_is_told_what_to_mend() -> None:
    error = IntakeError(413, "body-too-large", "Too large", "At most 5 bytes.")
    reply = await call(unreadable(error), request())
    assert reply.is_problem
    assert (reply.status, reply.json["detail"]) == (413, "At most 5 bytes.")


# An app that answers itself


def asked(on_refusal: Any, **policy: Any) -> PumpGuardMiddleware:
    settings = {"send": "/otp/send", "rules": one_per_minute(), "deadline": 10, **policy}
    return PumpGuardMiddleware(otp_app(Outbox()), Policy(**settings), on_refusal=on_refusal)


async def test_an_app_may_answer_refusals_itself() -> None:
    """With what it knows of the request: the decision, or why it could not be read."""
    heard: list[object] = []

    async def page(refused: Decision | IntakeError, request: Request) -> Response:
        form = await request.form()
        heard.append(refused)
        return HTMLResponse(f"<p>{form['phone']}", 429)

    app = asked(page)
    body = b"phone=%2B447400123456"
    replies = [await call(app, request(content_type=FORM), body) for _ in range(2)]
    assert [reply.status for reply in replies] == [202, 429]
    assert replies[1].body == b"<p>+447400123456"
    assert isinstance(heard[0], Decision)
    assert heard[0].action is Action.THROTTLE
    assert 0 < (heard[0].retry_after or 0) <= 60


async def test_it_is_asked_about_what_could_not_be_read() -> None:
    """The most frequent refusal of people is a mistyped number."""

    def page(refused: Decision | IntakeError, request: Request) -> Response:
        assert isinstance(refused, IntakeError)
        return HTMLResponse(refused.detail, refused.status)

    def fails(fields: object) -> str:
        raise KeyError("x")

    reply = await ask(asked(page), "no number")
    assert (reply.status, reply.headers["content-type"]) == (422, "text/html; charset=utf-8")
    assert b"characters" in reply.body
    assert (await ask(asked(page, phone=fails))).body == b"The request cannot be read."
    assert (await ask(asked(page, max_body=3))).status == 413


async def test_what_it_leaves_open_is_a_problem() -> None:
    """Such as requests of scripts."""
    reply = await ask(asked(lambda refused, request: None), "no number")
    assert (reply.is_problem, reply.status) == (True, 422)


@pytest.mark.parametrize("answer", ["<p>no", 403])
async def test_what_is_no_response_is_said_and_answered_with_a_problem(
    answer: object, caplog: pytest.LogCaptureFixture
) -> None:
    """Once an hour."""
    app = asked(lambda refused, request: answer)
    assert [(await ask(app, "no number")).is_problem for _ in range(3)] == [True] * 3
    assert caplog.text.count("PG081") == 1


async def test_an_app_that_fails_at_it_does_not_let_the_request_through(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The traceback is logged once an hour."""

    async def fails(refused: object, request: Request) -> Response:
        raise RuntimeError("no template")

    app = asked(fails)
    await ask(app)
    assert [(await ask(app)).status for _ in range(3)] == [429] * 3
    assert caplog.text.count("PG081") == 1
    assert "RuntimeError: no template" in caplog.text


async def test_a_shadow_that_could_be_heard_is_any_block_to_it_as_well() -> None:
    """The app that cannot keep silent is not told what it would have kept silent about."""
    heard: list[Decision | IntakeError] = []

    def shadows(attempt: Attempt) -> Finding:
        return Finding("shadows", Action.SHADOW, "ALWAYS", {"n": 1})

    guard = Guard(
        Policy(send="/otp/send", rules=(shadows,)),
        on_refusal=lambda refused, request: heard.append(refused),
    )
    reply = await ask(PumpGuardMiddleware(otp_app(Outbox()), guard=guard))
    assert reply.status == 403
    (decision,) = heard
    assert isinstance(decision, Decision)
    assert (decision.action, decision.findings) == (Action.BLOCK, ())


async def test_an_app_also_answers_when_the_guard_itself_has_failed() -> None:
    """Its users see a page of its own then too."""

    class Faulty(MemoryStore):
        async def decide(self, question: Question) -> Answer:
            raise KeyError("bug")

    def page(refused: Decision | IntakeError, request: Request) -> Response:
        assert isinstance(refused, IntakeError)
        return PlainTextResponse(refused.detail, refused.status)

    guard = Guard(Policy(send="/otp/send"), Faulty(), on_refusal=page)
    reply = await ask(PumpGuardMiddleware(otp_app(Outbox()), guard=guard))
    assert (reply.status, reply.body) == (503, b"No code can be sent right now.")


def test_it_is_given_once() -> None:
    """To the guard that is made, or to the one that is there."""
    guard = Guard(Policy(send="/otp/send", rules=one_per_minute()))
    with pytest.raises(TypeError, match="to the guard"):
        PumpGuardMiddleware(otp_app(Outbox()), guard=guard, on_refusal=lambda *_: None)


async def test_what_policies_functions_trip_over_is_logged_once_an_hour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Any stranger can send ``{}``."""

    def phone(fields: Any) -> object:
        return fields.json["user"]["phone"]

    app = asked(None, phone=phone)
    replies = [await call(app, request(), json.dumps({}).encode()) for _ in range(5)]
    assert [reply.status for reply in replies] == [400] * 5
    (record,) = [each for each in caplog.records if "PG021" in each.message]
    assert (record.levelno, record.exc_info is None) == (logging.ERROR, False)
    body = json.dumps({"user": {"phone": PHONE}}).encode()
    assert (await call(app, request(), body)).status == 202


REFERENCE = re.compile("[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}")


async def test_every_refusal_has_a_reference_and_the_decision_has_the_same() -> None:
    """A client reads it out, and the operator finds the event by it."""
    decisions: list[Decision] = []
    policy = Policy(send="/otp/send", rules=one_per_minute())
    app = PumpGuardMiddleware(otp_app(Outbox()), policy, on_decision=decisions.append)
    replies = [await ask(app) for _ in range(3)]
    assert "reference" not in replies[0].json
    assert decisions[0].reference == ""
    found = [reply.json["reference"] for reply in replies[1:]]
    assert found == [decision.reference for decision in decisions[1:]]
    assert all(REFERENCE.fullmatch(each) for each in found)
    assert len(set(found)) == 2
    for reply in replies[1:]:
        assert int(reply.headers["content-length"]) == len(reply.body)


@pytest.mark.parametrize("action", [Action.CHALLENGE, Action.THROTTLE, Action.BLOCK, Action.SHADOW])
async def test_a_reference_changes_nothing_else(action: Action) -> None:
    """A shadow that is shown as a block has one like all others."""
    decision = Decision(make_attempt(), action, reference="7Q3K-9XDM")
    with_one = await call(refusal(decision), request())
    without = await call(refusal(Decision(make_attempt(), action)), request())
    assert with_one.json == {**without.json, "reference": "7Q3K-9XDM"}
    assert with_one.headers == {
        **without.headers,
        "content-length": str(len(with_one.body)),
    }


async def test_what_cannot_be_read_has_no_reference() -> None:
    """Nothing was decided."""
    policy = Policy(send="/otp/send", rules=one_per_minute())
    app = PumpGuardMiddleware(otp_app(Outbox()), policy)
    assert "reference" not in (await ask(app, "no number")).json


GERMAN = {"throttled": "Bitte warten Sie.", "blocked": "Bitte prüfen Sie die Nummer."}


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("fr, de;q=0.5", "de"),
        ("pt-BR;q=0.9, de;q=0.8", "pt-br"),
        ("en, de", None),  # English is what all speak
        ("de;q=0", None),
        ("*", None),
        ("", None),
        ("q=;;,", None),
    ],
)
async def test_texts_of_an_operators_own_by_language(accepted: str, language: str | None) -> None:
    """The best of those that the client accepts; the reply says which it is."""
    texts = {"de": GERMAN, "pt-br": {"throttled": "Espere um pouco."}}
    policy = Policy(send="/otp/send", rules=one_per_minute(), texts=texts)
    app = PumpGuardMiddleware(otp_app(Outbox()), policy)
    await ask(app)
    reply = await ask(app, headers={"accept-language": accepted})
    assert reply.status == 429
    assert reply.headers.get("content-language") == language
    if language:
        assert reply.json["detail"] == texts[language]["throttled"]
    else:
        assert reply.json["detail"] == "Please wait before asking for another code."


async def test_a_text_that_is_missing_is_in_english() -> None:
    """And says so by saying nothing."""
    decision = Decision(make_attempt(), Action.CHALLENGE)
    german = request(headers={"accept-language": "de"})
    problem = Problems(Poses(None), languages=Languages({"de": GERMAN})).refusal(decision, german)
    assert (await call(problem, german)).messages == (
        await call(refusal(decision, Poses(None)), request())
    ).messages


@given(st.text(max_size=300))
def test_any_accept_language_is_answered(accepted: str) -> None:
    """Whatever a client sends there."""
    scope = {"headers": [(b"accept-language", accepted.encode("utf-8", "surrogatepass"))]}
    assert Languages({"de": GERMAN}).of(scope) in (None, "de")


@pytest.mark.parametrize(
    ("texts", "path"),
    [
        ({"Deutsch!": GERMAN}, "texts.Deutsch!"),
        ({"de": {"reason": "x"}}, "texts.de.reason"),
        ({"de": {"blocked": ""}}, "texts.de.blocked"),
    ],
)
def test_wrong_texts_are_refused_by_their_path(texts: dict[str, Any], path: str) -> None:
    """Before anybody reads them."""
    with pytest.raises(PolicyError, match=re.escape(path)):
        Policy(send="/otp/send", texts=texts)


def test_a_language_is_found_among_other_headers() -> None:
    """Wherever it stands."""
    headers = [(b"host", b"app.example"), (b"accept-language", b"de-AT, de;q=0.9")]
    assert Languages({"de": {"blocked": "Nein."}}).of({"headers": headers}) == "de"
    assert Languages({"de": {"blocked": "Nein."}}).of({"headers": headers[:1]}) is None
