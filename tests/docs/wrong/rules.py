"""Rules, money, challenges and data that do not do what they were meant to."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pumpguard import Attempt, Finding
from pumpguard.challenges.base import Challenge
from pumpguard.decision import Decision
from pumpguard.intake.network import UnknownNetworks
from pumpguard.rules import RateLimit
from tests.docs.wrong.stage import WrongSetup, asked

loops = partial(asked, "workers and loops")
rules = partial(asked, "rules and money")
challenges = partial(asked, "challenges and data")

SEND = 'Policy(send="/otp/send")'
ASKS = {"asks": RateLimit(name="asks", by="country", limits="1/hour", action="challenge")}
ASKING = 'Policy(send="/otp/send", rules=[asks])'


def own(attempt: Attempt) -> Finding | None:
    """A rule of the app's."""
    return None


def broken(attempt: Attempt) -> Finding | None:
    """A rule with a bug."""
    raise KeyError(attempt.account)


def fails(*_: Any) -> Any:
    """A listener with a bug."""
    raise KeyError("phone")


async def refuses(*_: Any) -> Any:
    """A page with a bug."""
    raise KeyError("template")


class Unsolved(Challenge):
    """One that the page does not show."""

    def solved(self, said: str, attempt: Attempt) -> bool:
        return False

    def pose(self, decision: Decision) -> Mapping[str, object] | None:
        return {"kind": "riddle"}


class Broken(Unsolved):
    """One with a bug."""

    def pose(self, decision: Decision) -> Mapping[str, object] | None:
        raise KeyError("site_key")


class BrokenNetworks(UnknownNetworks):
    """Address data with a bug."""

    def country(self, address: Any) -> str | None:
        raise KeyError(address)


RULES: list[WrongSetup] = [
    loops(SEND, "PG044", "`on_decision` raises", options=lambda _: {"on_decision": fails}),
    loops('Policy(send="/otp/send", phone="mobile")', "PG081", "`on_refusal` raises",
          options=lambda _: {"on_refusal": refuses}),
    rules('Policy(send="/otp/send", rules=[own])', "PG004", "meant: beside the default rules",
          names={"own": own}),
    rules('Policy(send="/otp/send", extra_rules=[broken])', "PG020", "`broken` raises",
          names={"broken": broken}),
    rules('Policy(send="/otp/send", daily_budget=1)', "PG030", "a code costs 5 cents"),
    challenges(ASKING, "PG003", "without `challenge=`", names=ASKS),
    challenges(ASKING, "PG067", "the page does not solve the challenge", names=ASKS,
               options=lambda _: {"challenge": Unsolved()}),
    challenges(ASKING, "PG038", "`challenge.pose` raises", names=ASKS,
               options=lambda _: {"challenge": Broken()}),
    challenges(SEND, "PG085", "`networks.country` raises",
               options=lambda _: {"networks": BrokenNetworks()}),
]  # fmt: skip
