"""People who all enter their codes in the end, as clumsily as people do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import replace

from ..actors import Actor, Call, Reply, Start, Wait, draws
from ..population import MAX_SENDS, Habits, User, population
from ..user import USERS, Outcome, visit

MISTYPE, ERR = 0.03, 0.08
"""Shares of people who mistype their number first, and who enter a wrong code first. Assumptions:
no measurement is published."""

NOTICED_AFTER, ONCE_MORE_AFTER = 40.0, 8.0
"""Seconds until somebody sees that the number was wrong, and reads the code once more."""

ALL = Habits(finish=1.0)


def people(seed: int, size: int, by_mail: float = 0.0) -> list[User]:
    """So many users of one day; a share of them uses an address of e-mail for a number."""
    rng = draws(seed, "three_apps")
    found = population(seed, round(size * 1.1) + 50, ALL)
    chosen = sorted(rng.sample(found, size), key=lambda user: (user.at, user.number))
    return [_with_mail(user) if rng.random() < by_mail else user for user in chosen]


def _with_mail(user: User) -> User:
    mail = f"user{user.number}@example.org"
    return replace(user, phone=mail, typed=({"phone": mail},) * MAX_SENDS)


def starts(seed: int, outcomes: list[Outcome], typos: MutableMapping[str, str]) -> Iterator[Start]:
    """All of them, ready to come. ``typos`` gets whose number is meant by a mistyped one."""
    for outcome in outcomes:
        yield Start(outcome.user.at, USERS, _person(seed, outcome, typos))


def _person(seed: int, outcome: Outcome, typos: MutableMapping[str, str]) -> Actor:
    user, rng = outcome.user, draws(seed, "clumsy", outcome.user.number)
    mistypes, errs = rng.random() < MISTYPE, rng.random() < ERR
    if mistypes and "@" not in user.phone:
        wrong = _mistyped(user.phone, rng.randrange)
        typos[wrong] = user.phone
        yield Call("POST", "/otp/send", {"phone": wrong}, user.address, meant=wrong)
        yield Wait(NOTICED_AFTER)
    yield from _erring(visit(outcome)) if errs else visit(outcome)


def _mistyped(phone: str, below: Callable[[int], int]) -> str:
    """One of the last six digits is another."""
    at = len(phone) - 1 - below(6)
    return f"{phone[:at]}{(int(phone[at]) + 1 + below(9)) % 10}{phone[at + 1 :]}"


def _erring(actor: Actor) -> Actor:
    """The same person, who enters another code first."""
    step, reply = next(actor), Reply(0.0)
    while True:
        if isinstance(step, Call) and step.path == "/otp/verify" and step.json is not None:
            another = f"{(int(step.json['code']) + 1) % 10**6:06}"
            yield step._replace(json={**step.json, "code": another})
            yield Wait(ONCE_MORE_AFTER)
        reply = yield step
        try:
            step = actor.send(reply)
        except StopIteration:
            return
