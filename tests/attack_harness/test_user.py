from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from attack_harness.actors import Call, Reply, Wait
from attack_harness.population import Patience, User
from attack_harness.user import Outcome, visit

from .fake_app import BLOCKED, CHALLENGE, SENT, Verdict, throttled

PHONE = "+447911123456"
PATIENT = Patience(
    finishes=True,
    enters_after=20.0,
    resends_after=(70.0, 80.0, 90.0),
    solves=True,
    solves_after=9.0,
    tries_again=True,
)
ANNA = User(1, 1000.0, "GB", PHONE, "192.0.2.1", frozenset(), ({"phone": PHONE},) * 3, PATIENT)


class Stage:
    """Plays one user against scripted verdicts; ``arrives`` says which sends reach the phone."""

    def __init__(self, *verdicts: Verdict, arrives: tuple[bool, ...] = (True,) * 9) -> None:
        self.verdicts, self.arrives = list(verdicts), list(arrives)
        self.sends: list[tuple[float, Call]] = []
        self.verified: list[tuple[float, Any]] = []
        self.inbox: list[dict[str, Any]] = []
        self.now = 1000.0

    def play(self, user: User = ANNA) -> Outcome:
        outcome = Outcome(user)
        actor = visit(outcome)
        reply: Reply | None = None
        while True:
            try:
                step = next(actor) if reply is None else actor.send(reply)
            except StopIteration:
                return outcome
            reply = self._wait(step) if isinstance(step, Wait) else self._call(step)

    def _wait(self, step: Wait) -> Reply:
        self.now += max(0.0, step.seconds)
        return Reply(self.now)

    def _call(self, call: Call) -> Reply:
        if call.path == "/otp/send":
            return self._send(call)
        if call.path == "/otp/verify":
            self.verified.append((self.now, call.json))
            return Reply(self.now, 200)
        assert call.path == f"/sim/inbox/{PHONE}"
        shown = [m for m in self.inbox if m["delivered_at"] <= self.now]
        return Reply(self.now, 200, {"messages": shown})

    def _send(self, call: Call) -> Reply:
        self.sends.append((self.now, call))
        status, body, headers = self.verdicts.pop(0) if self.verdicts else SENT
        if status == 202 and self.arrives.pop(0):
            text = f"Your code is {len(self.sends):06}."
            self.inbox.append({"text": text, "delivered_at": self.now + 3})
        after = headers.get("retry-after")
        return Reply(self.now, status, body, float(after) if after else None)


def patience(**changes: Any) -> User:
    return replace(ANNA, patience=PATIENT._replace(**changes))


def test_a_user_gets_a_code_and_enters_it_when_ready() -> None:
    stage = Stage()
    outcome = stage.play()
    assert outcome.got_code_at == 1003
    assert outcome.verified
    assert stage.verified == [(1023.0, {"phone": PHONE, "code": "000001"})]
    assert len(stage.sends) == 1


def test_a_message_from_before_the_visit_is_not_this_visits() -> None:
    stage = Stage(BLOCKED, BLOCKED)
    stage.inbox.append({"text": "Your code is 999999.", "delivered_at": 900.0})
    assert not stage.play().got_code
    stage = Stage()
    stage.inbox.append({"text": "Your code is 999999.", "delivered_at": 900.0})
    assert stage.play().got_code_at == 1003


def test_some_never_enter_the_code_they_got() -> None:
    stage = Stage()
    outcome = stage.play(patience(finishes=False))
    assert outcome.got_code
    assert not outcome.verified
    assert stage.verified == []


def test_a_user_asks_again_when_nothing_arrives() -> None:
    stage = Stage(arrives=(False, True))
    outcome = stage.play()
    assert [at for at, _ in stage.sends] == [1000.0, 1070.0]
    assert outcome.got_code_at == 1073


def test_after_three_sends_a_user_gives_up() -> None:
    stage = Stage(arrives=(False,) * 3)
    outcome = stage.play()
    assert len(stage.sends) == 3
    assert not outcome.got_code
    assert stage.now < 1000 + 70 + 80 + 90 + 1


def test_a_challenge_is_solved() -> None:
    stage = Stage(CHALLENGE)
    outcome = stage.play()
    assert [(at, call.human) for at, call in stage.sends] == [(1000.0, False), (1009.0, True)]
    assert outcome.challenged
    assert outcome.refused == 1
    assert outcome.got_code


def test_a_few_will_not_solve_a_challenge() -> None:
    stage = Stage(CHALLENGE)
    outcome = stage.play(patience(solves=False))
    assert len(stage.sends) == 1
    assert outcome.challenged
    assert not outcome.got_code


def test_nobody_solves_a_second_challenge_at_once() -> None:
    stage = Stage(CHALLENGE, CHALLENGE)
    outcome = stage.play()
    assert not outcome.got_code
    assert outcome.gave_up_at == "challenge"
    assert len(stage.sends) == 2


def test_a_throttled_user_waits_as_told() -> None:
    stage = Stage(throttled(40))
    outcome = stage.play()
    assert [at for at, _ in stage.sends] == [1000.0, 1041.0]
    assert outcome.got_code
    assert outcome.refused == 1


def test_a_user_who_is_told_to_wait_too_long_gives_up() -> None:
    stage = Stage(throttled(121))
    assert not stage.play().got_code
    assert len(stage.sends) == 1


def test_a_user_stops_after_three_tries() -> None:
    stage = Stage(throttled(10), throttled(10), throttled(10))
    outcome = stage.play()
    assert outcome.refused == 3
    assert outcome.gave_up_at == "throttle"
    assert not outcome.got_code


@pytest.mark.parametrize(("tries_again", "sends"), [(True, 2), (False, 1)])
def test_a_blocked_user_may_try_once_more(tries_again: bool, sends: int) -> None:
    stage = Stage(BLOCKED, BLOCKED)
    outcome = stage.play(patience(tries_again=tries_again))
    assert not outcome.got_code
    assert outcome.gave_up_at == "block"
    assert len(stage.sends) == sends


def test_an_unreadable_number_is_not_typed_again() -> None:
    stage = Stage((422, {}, {}))
    stage.play()
    assert len(stage.sends) == 1


def test_a_late_message_is_seen_even_after_a_refused_resend() -> None:
    stage = Stage(SENT, BLOCKED, BLOCKED, arrives=(True,))
    stage._send = _late(stage._send)  # type: ignore[method-assign]
    outcome = stage.play(patience(tries_again=False))
    assert outcome.got_code
    assert outcome.refused == 1


def _late(send: Any) -> Any:
    def late(call: Call) -> Reply:
        reply: Reply = send(call)
        for message in stage_inbox(send):
            message["delivered_at"] = 1100.0
        return reply

    return late


def stage_inbox(send: Any) -> list[dict[str, Any]]:
    inbox: list[dict[str, Any]] = send.__self__.inbox
    return inbox


def test_a_resend_may_be_typed_differently() -> None:
    other = {"phone": "0044 7911 123456"}
    stage = Stage(arrives=(False, True))
    stage.play(replace(ANNA, typed=({"phone": PHONE}, other, other)))
    assert stage.sends[1][1].json == other


def test_every_twenty_fifth_user_types_the_code_wrongly_first() -> None:
    stage = Stage()
    stage.play(replace(ANNA, number=49))
    assert stage.verified == [
        (1023.0, {"phone": PHONE, "code": "100001"}),
        (1028.0, {"phone": PHONE, "code": "000001"}),
    ]
