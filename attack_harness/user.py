"""What a real user does: ask for a code, look for it, ask again, solve a challenge, give up."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass

from .actors import Actor, Call, Json, Reply, Start, Wait
from .population import MAX_SENDS, User

USERS = "users"
"""The users' side in the log; every other side is an attack."""

LOOKS_AFTER = 6.5
"""Seconds until the first look at the phone: a code takes 1 to 6."""

LAST_LOOK_AFTER = 60.0
LONGEST_WAIT = 120.0
TRIES_PER_SEND = 3
LOOKS_FOR_NEWER = 3

MISTYPES = 25
"""One user of so many types the code wrongly first: our assumption. Nobody real never errs."""

TYPES_AGAIN_AFTER = 5.0

_CODE = re.compile(r"\b\d{4,8}\b")

Steps = Generator[Call | Wait, Reply, Reply]
"""Part of a visit, which ends with a reply."""


@dataclass(slots=True)
class Outcome:
    """How one user's visit went."""

    user: User
    got_code_at: float | None = None
    challenged: bool = False
    refused: int = 0
    verified: bool = False
    gave_up_at: str | None = None
    """The refusal that ended the visit: ``challenge``, ``throttle``, ``block`` or ``error``."""

    @property
    def got_code(self) -> bool:
        """True if a code reached the user."""
        return self.got_code_at is not None


def visit(outcome: Outcome) -> Actor:
    """One user's whole visit; what happens is written into the outcome."""
    user = outcome.user
    code: str | None = None
    for send in range(MAX_SENDS):
        reply = yield from _ask(outcome, user.typed[send])
        if not reply.sent:
            outcome.gave_up_at = _refusal(reply)
            if send:  # an earlier message may still come
                yield Wait(LAST_LOOK_AFTER)
                code = _read(outcome, (yield _inbox(user)))
            break
        yield Wait(LOOKS_AFTER)
        code = _read(outcome, (yield _inbox(user)))
        if code is None:
            yield Wait(user.patience.resends_after[send] - LOOKS_AFTER)
            code = _read(outcome, (yield _inbox(user)))
        if code is not None:
            break
    if code is not None and user.patience.finishes:
        yield from _enter(outcome, code)
        for _ in range(LOOKS_FOR_NEWER):
            if outcome.verified:
                break
            # The code of an earlier message: a provider that is slow has not brought the last yet.
            yield Wait(LAST_LOOK_AFTER)
            newer = _read(outcome, (yield _inbox(user)))
            if newer is not None and newer != code:
                code = newer
                yield from _enter(outcome, code)


def _inbox(user: User) -> Call:
    return Call("GET", f"/sim/inbox/{user.phone}")


def _ask(outcome: Outcome, typed: Json) -> Steps:
    """Ask for a code until it is sent or the user has had enough; returns the last reply."""
    user, human = outcome.user, False
    for attempt in range(TRIES_PER_SEND):
        reply = yield Call("POST", "/otp/send", typed, user.address, human, user.phone)
        if reply.sent:
            break
        outcome.refused += 1
        outcome.challenged |= reply.challenged
        pause = _pause(user, reply, attempt, human)
        if pause is None or attempt == TRIES_PER_SEND - 1:
            break
        # As the example app's page does: a solution that was refused for now is sent once more.
        human = reply.challenged or (human and reply.status == 429)
        yield Wait(pause)
    return reply


def _refusal(reply: Reply) -> str:
    """A refusal in one word."""
    if reply.challenged:
        return "challenge"
    return {429: "throttle", 403: "block"}.get(reply.status, "error")


def _pause(user: User, reply: Reply, attempt: int, human: bool) -> float | None:
    """Seconds until the user tries again; None means that the user gives up."""
    patience = user.patience
    if reply.challenged:
        # Who solved one and is asked for another has been told that solving does not help.
        return patience.solves_after if patience.solves and not human else None
    if reply.status == 429:
        after = 60.0 if reply.retry_after is None else reply.retry_after
        return after + 1.0 if after <= LONGEST_WAIT else None
    if reply.status in (400, 422):  # the app cannot read the number: typing it again is no use
        return None
    return 60.0 if patience.tries_again and attempt == 0 else None


def _read(outcome: Outcome, reply: Reply) -> str | None:
    """The newest code that came since this visit began."""
    began = outcome.user.at
    messages = [m for m in reply.json.get("messages") or [] if m["delivered_at"] >= began]
    if not messages:
        return None
    if outcome.got_code_at is None:
        outcome.got_code_at = float(messages[0]["delivered_at"])
    found = _CODE.search(str(messages[-1]["text"]))
    return found.group() if found else None


def _enter(outcome: Outcome, code: str) -> Generator[Call | Wait, Reply, None]:
    """Type the code in, as long after its arrival as this user needs."""
    user = outcome.user
    assert outcome.got_code_at is not None  # noqa: S101
    now = (yield Wait(0.0)).at
    yield Wait(outcome.got_code_at + user.patience.enters_after - now)
    if user.number % MISTYPES == MISTYPES - 1:
        yield _verify(user, "0" + code[1:] if code[0] != "0" else "1" + code[1:])
        yield Wait(TYPES_AGAIN_AFTER)
    reply = yield _verify(user, code)
    outcome.verified = reply.status == 200


def _verify(user: User, code: str) -> Call:
    return Call("POST", "/otp/verify", {"phone": user.phone, "code": code}, user.address)


def starts(outcomes: Iterable[Outcome]) -> Iterator[Start]:
    """All users, ready to come at their times."""
    for outcome in outcomes:
        yield Start(outcome.user.at, USERS, visit(outcome))
